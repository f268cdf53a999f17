"""Records of logins and processes, made for tests."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from pathlib import Path

from mailscope.host.layouts.utmp import LAYOUTS, Layout

USUAL = LAYOUTS[0]
V3 = struct.Struct("<BBHIIIIIIf8H16s")


def login(
    kind: int, line: str | bytes, user: str | bytes = b"", host: str | bytes = b"", *, seconds: int = 1_700_000_000,
    pid: int = 100, ident: bytes = b"", address: str = "", micros: int = 0, layout: Layout = USUAL,
) -> bytes:  # fmt: skip
    """One record of utmp."""
    packed = (
        b""
        if not address
        else socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    )
    texts = [part.encode() if isinstance(part, str) else part for part in (line, user, host)]
    return layout.struct.pack(
        kind, 0, pid, texts[0], ident, texts[1], texts[2], 0, 0, 0, seconds, micros, packed.ljust(16, b"\0")
    )


def process(
    comm: str | bytes, *, flag: int = 0, uid: int = 0, tty: int = 0, btime: int = 1_700_000_000, etime: float = 0.0,
    utime: int = 0, stime: int = 0, mem: int = 0, io: int = 0, minflt: int = 0, pid: int = 1, ppid: int = 1,
) -> bytes:  # fmt: skip
    """One record of process accounting, version 3."""
    name = comm.encode() if isinstance(comm, str) else comm
    return V3.pack(
        flag, 3, tty, 0, uid, uid, pid, ppid, btime, etime, utime, stime, mem, io, 0, minflt, 0, 0, name
    )


def written(path: Path, records: Sequence[bytes]) -> Path:
    """A file of records."""
    path.write_bytes(b"".join(records))
    return path
