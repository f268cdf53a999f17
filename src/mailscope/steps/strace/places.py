"""Paths of Postfix's queue directory: which queue, which file.

Source: mail_queue.h and mail_queue.c of Postfix 3.7 (queue names, hashed directories, short and long ids);
temporary names are ``USEC.PID`` (mail_stream.c, mail_queue_enter()).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

QUEUES: Final = ("maildrop", "incoming", "active", "deferred", "hold", "corrupt")
# Files of reasons, named after the message that they belong to.
REASONS: Final = ("defer", "bounce", "trace")
# Short ids: microseconds and inode in hexadecimal.  Long ids: seconds (6 or more) and microseconds (4) in 52
# letters and digits, a "z", and the inode in 51: without "z", so that the last one tells where it begins.
_ID: Final = (
    r"[0-9A-F]{6,20}|[0-9BCDFGHJ-NP-TV-Zbcdfghj-np-tv-z]{10,12}z[0-9BCDFGHJ-NP-TV-Zbcdfghj-np-tv-y]{1,13}"
)
_FILE: Final = re.compile(
    rf"(?:.*/)?({'|'.join((*QUEUES, *REASONS))})/((?:[0-9A-Za-z]/)*)({_ID}|[0-9]{{1,6}}\.[0-9]{{1,7}}|)"
)
_SOCKET: Final = re.compile(r"(?:.*/)?(private|public)/([A-Za-z0-9._-]{1,60})")
QUEUE_ID: Final = re.compile(rf"(?:{_ID})")


@dataclass(frozen=True, slots=True)
class Place:
    """A file of a queue.  ``file``: its id, a temporary name, or "" where the name was taken out."""

    queue: str
    file: str
    path: str

    @property
    def holds_mail(self) -> bool:
        """Whether it is the message itself, not the reasons beside it."""
        return self.queue in QUEUES

    @property
    def temporary(self) -> bool:
        """Whether the file is still to get its name."""
        return not self.file or "." in self.file


def place_of(path: str | None) -> Place | None:
    """The queue file that a path names; None for other paths, and for the directories of queues."""
    found = _FILE.fullmatch(path or "")
    if found is None or (not found[3] and found[2]):
        return None
    return Place(found[1], found[3], f"{found[1]}/{found[2]}{found[3]}")


def socket_of(path: str | None) -> tuple[str, str] | None:
    """The path as in ``private/smtp``, and the service's name, of a socket or pipe of the queue directory."""
    found = _SOCKET.fullmatch(path or "")
    return (f"{found[1]}/{found[2]}", found[2]) if found else None
