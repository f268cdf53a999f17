"""The queue as qmail-qread prints it, byte for byte, without qmail.

Source: qmail-qread.c of notqmail 1.09.  Like there, the order is that of the directories' entries; what is
unreadable is warned of among the messages; and what follows the sender in info is read as if it were
the beginning of the recipients.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from mailscope.queues.entry import Spool
from mailscope.queues.qmail import files, places
from mailscope.queues.qmail.places import LOCAL, REMOTE

# substdio's buffer: so much of info is read at a time.
BUFFER: Final = 1024
_SHOWN: Final = bytes(byte if 32 <= byte <= 126 else 95 for byte in range(256))
# error_str.c: what reading a file can meet.
_ERRORS: Final = {
    errno.ENOENT: "file does not exist",
    errno.EIO: "input/output error",
    errno.EPERM: "permission denied",
    errno.EACCES: "access denied",
    errno.ENOTDIR: "not a directory",
    errno.EISDIR: "is a directory",
    errno.ENFILE: "system cannot open more files",
    errno.EMFILE: "process cannot open more files",
    errno.ELOOP: "symbolic link loop",
    errno.ENAMETOOLONG: "file name too long",
    errno.ESTALE: "stale NFS file handle",
}
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def lines(spool: Spool, words: Sequence[str]) -> Iterator[bytes]:
    """The listing."""
    split = places.split_of(spool.place)
    for part in range(split):
        directory = spool.place / "info" / str(part)
        try:
            names = os.listdir(directory)
        except OSError as error:
            yield f"fatal: unable to opendir info/{part}: {_said(error)}".encode()
            return
        for name in names:
            if places.is_number(name):
                yield from _message(spool, int(name), split)


def _message(spool: Spool, number: int, split: int) -> Iterator[bytes]:
    def path(kind: str) -> str:
        return places.path_of(spool.place, kind, number, split)

    def trouble(error: OSError) -> bytes:
        return f"warning: trouble with #{number}: {_said(error)}".encode()

    try:
        size = os.stat(path("mess")).st_size
        bouncing = os.path.exists(path("bounce"))
        info, came = files.read(path("info")), os.stat(path("info")).st_mtime
    except OSError as error:
        yield trouble(error)
        return
    sender, rest = _first(info)
    at = datetime.fromtimestamp(int(came), UTC)
    head = f"{at.day} {_MONTHS[at.month - 1]} {at.year} {at:%H:%M:%S} GMT  #{number}  {size}  <".encode()
    yield (head + sender[1:] + b"> " + (b" bouncing" if bouncing else b"")).translate(_SHOWN)
    for kind in (LOCAL, REMOTE):
        try:
            rest += files.read(path(kind))
        except FileNotFoundError:
            continue
        except OSError as error:
            yield trouble(error)
            continue
        *records, _ = rest.split(b"\0")
        rest = b""
        for record in records:
            if record[:1] in (b"D", b"T"):
                done = b"  done" if record[:1] == b"D" else b""
                yield done + b"\t" + kind.encode() + b"\t" + record[1:].translate(_SHOWN)


def _first(info: bytes) -> tuple[bytes, bytes]:
    """The sender, and what was read beyond it."""
    end = info.find(b"\0")
    if end < 0:
        return info, b""
    return info[:end], info[end + 1 : (end // BUFFER + 1) * BUFFER]


def _said(error: OSError) -> str:
    return _ERRORS.get(error.errno or 0, "unknown error")
