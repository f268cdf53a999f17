"""Why mail waits: the log that bounce(8) keeps of each deferred message, below ``defer`` (and ``bounce``,
``trace``).

Entries are apart by blank lines and made of ``name=value`` lines; older ones are one line ``<recipient>:
reason``, and newer files may begin an entry that way.  Source: bounce_log.c and bounce_append_service.c of
Postfix 3.7.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mailscope.queues.postfix.places import DEFER, hashed

NO_ADDRESS: Final = b"(recipient address unavailable)"
NO_REASON: Final = b"(description unavailable)"
NOBODY: Final = b"(MAILER-DAEMON)"
_PRINTABLE: Final = bytes(byte if 32 <= byte < 127 else ord("?") for byte in range(256))
# A message for a hundred thousand recipients has one of 40 MB; more is damage.
LARGEST: Final = 1 << 27


@dataclass(slots=True)
class Reason:
    """Why one recipient waits."""

    recipient: bytes = NO_ADDRESS
    original: bytes = b""
    status: bytes = b"4.0.0"
    action: bytes = b"delayed"
    mta_name: bytes = b""
    reason: bytes = NO_REASON


_NAMES: Final = {
    b"original_recipient": "original",
    b"status": "status",
    b"action": "action",
    b"mta_mname": "mta_name",
    b"reason": "reason",
}


class DeferLogs:
    """The defer logs of a spool, found by queue id."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def read(self, queue_id: str) -> tuple[float, list[Reason]] | None:
        """When the log was last written, and its entries; None where there is none.  Raises OSError."""
        for path in hashed(self._place, DEFER, queue_id):
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            try:
                status = os.fstat(descriptor)
                text = os.read(descriptor, min(status.st_size, LARGEST))
            finally:
                os.close(descriptor)
            return status.st_mtime, list(entries(text))
        return None


def entries(text: bytes) -> Iterator[Reason]:
    """The entries of a log.  Lines that are none are left out, as Postfix does; so is a last entry without
    its blank line.
    """
    current: Reason | None = None
    for line in text.split(b"\n")[:-1]:
        line = line.partition(b"\0")[0]
        if not line:
            if current is not None:
                yield current
            current = None
            continue
        if current is None:
            current = Reason()
        _line(current, line.translate(_PRINTABLE))


def _line(entry: Reason, line: bytes) -> None:
    if line[:1].isalnum():
        name, equals, value = line.partition(b"=")
        name = name.strip()
        if not equals or b" " in name:
            return
        value = value.strip()
        if name == b"recipient":
            entry.recipient = value or NOBODY
        elif name in _NAMES and value:
            setattr(entry, _NAMES[name], value)
    elif line.startswith(b"<"):
        recipient, found, reason = line[1:].partition(b">: ")
        if found:
            entry.recipient = recipient or NOBODY
            entry.reason = reason.strip() or NO_REASON
