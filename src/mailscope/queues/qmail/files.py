"""The small files of a message: who it is from and for, what was done, which bounces are to be sent.

Source: INTERNALS.md and qmail-send.c of notqmail 1.09 (getinfo(), todo_do(), markdone(), addbounce()).  info
holds ``Fsender`` and a zero byte; local and remote ``Trecipient`` or, once done with, ``Drecipient``, each
with a zero byte; todo ``uUID pPID Fsender Trecipient ...``; bounce a paragraph for each that failed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

# Of the largest todo, local or remote so much is read: over a million recipients.
MOST_BYTES: Final = 64 << 20
_BOUNCED: Final = re.compile(rb"<([^\n]*)>:\n((?:[^\n]+\n)*)\n")


@dataclass(slots=True)
class Envelope:
    """``recipients``: address and whether it is done with.  ``whole``: whether the file ends where it may."""

    sender: bytes | None = None
    recipients: list[tuple[bytes, bool]] = field(default_factory=list)
    uid: bytes | None = None
    pid: bytes | None = None
    unknown: int = 0
    whole: bool = True


def read(path: str) -> bytes:
    """A file's bytes.  Raises OSError."""
    with open(path, "rb") as file:
        return file.read(MOST_BYTES)


def envelope(data: bytes) -> Envelope:
    """Take info, local, remote or todo apart."""
    found = Envelope(whole=not data or data.endswith(b"\0"))
    for record in data.split(b"\0")[:-1]:
        kind, rest = record[:1], record[1:]
        if kind == b"F":
            found.sender = rest
        elif kind in (b"T", b"D"):
            found.recipients.append((rest, kind == b"D"))
        elif kind == b"u":
            found.uid = rest
        elif kind == b"p":
            found.pid = rest
        else:
            found.unknown += 1
    return found


def bounced(data: bytes) -> list[tuple[bytes, bytes]]:
    """Recipients that failed, each with the report of it."""
    return [(each[1], each[2].rstrip(b"\n")) for each in _BOUNCED.finditer(data)]
