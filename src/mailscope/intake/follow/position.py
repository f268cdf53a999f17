"""How far one file was read, and what tells that file from all others.

Inode numbers are reused at once on many file systems and change on some network ones, and a rotated log may
be copied or packed; so a file is known by its content: a hash of its first bytes, and one of the bytes right
before the place where reading stopped.  Device and inode only say where to look first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from hashlib import blake2b
from typing import Any, Final

from mailscope.intake.live import Resume
from mailscope.vocabulary.errors import InputError

HEAD_BYTES: Final = 1024  # several lines, with their stamps
BEFORE_BYTES: Final = 256


@dataclass(frozen=True, slots=True)
class Position:
    """Where reading of one file stopped.

    ``fingerprint``: hash of the first ``fingerprint_bytes`` of the (unpacked) text, ``before``: of the up
    to BEFORE_BYTES in front of ``offset``; ``line_number``: of the line that begins there; ``mtime_ns``: when
    the file was last written to, and ``unread_bytes``: what it surely held behind, as last seen; ``quiet``:
    it was rotated and read to its end.
    """

    path: str
    device: int
    inode: int
    fingerprint: str = ""
    fingerprint_bytes: int = 0
    before: str = ""
    offset: int = 0
    line_number: int = 1
    mtime_ns: int = 0
    unread_bytes: int = 0
    quiet: bool = False


def nothing_before(path: str, time_ns: int) -> Position:
    """As if another file had been read until then: what was written later is new."""
    return Position(path, 0, 0, mtime_ns=time_ns, quiet=True)


def digest(data: bytes) -> str:
    """The hash that positions hold; empty for nothing."""
    return blake2b(data, digest_size=16).hexdigest() if data else ""


def resume_of(positions: Sequence[Position]) -> Resume:
    """The resume point of a log: the newest of its files, and under ``older`` the others, oldest first."""
    older = json.dumps([asdict(position) for position in positions[:-1]]) if len(positions) > 1 else None
    return {**asdict(positions[-1]), "older": older}


def positions_of(resume: Resume, source: str) -> list[Position]:
    """The files of a log that were being read, the oldest first.  Raises InputError for what is none."""
    try:
        older = json.loads(str(resume["older"])) if resume.get("older") else []
        return [_position(known) for known in (*older, resume)]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("its resume point in the store is damaged", source) from error


_NAMES: Final = tuple(field.name for field in fields(Position))


def _position(known: Mapping[str, Any]) -> Position:
    return Position(
        path=str(known["path"]),
        device=int(known["device"]),
        inode=int(known["inode"]),
        fingerprint=str(known["fingerprint"]),
        fingerprint_bytes=int(known["fingerprint_bytes"]),
        before=str(known["before"]),
        offset=int(known["offset"]),
        line_number=int(known["line_number"]),
        mtime_ns=int(known["mtime_ns"]),
        unread_bytes=int(known["unread_bytes"]),
        quiet=bool(known["quiet"]),
    )
