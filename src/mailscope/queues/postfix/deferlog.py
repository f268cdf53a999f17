"""Why mail waits: the log that bounce(8) keeps of each deferred message, below ``defer`` (and ``bounce``,
``trace``).

Entries are apart by blank lines and made of ``name=value`` lines; older ones are one line ``<recipient>:
reason``, and newer files may begin an entry that way.  Source: bounce_log.c and bounce_append_service.c of
Postfix 3.7.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mailscope.queues.postfix.addresses import plain, printable
from mailscope.queues.postfix.places import DEFER, depth, hashed

NO_ADDRESS: Final = b"(recipient address unavailable)"
NO_REASON: Final = b"(description unavailable)"
NOBODY: Final = b"(MAILER-DAEMON)"
# A message for a hundred thousand recipients has one of 40 MB; more is damage.
LARGEST: Final = 1 << 27


NO_STATUS: Final = b"4.0.0"
NO_ACTION: Final = b"delayed"
_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# An entry as bounce(8) writes it since Postfix 2.3: nearly all.
_ENTRY: Final = re.compile(
    rb"\n*<[^\n]*\n"
    rb"recipient=([^\n]*)\n"
    rb"(?:original_recipient=([^\n]*)\n)?"
    rb"(?:offset=[^\n]*\n)?"
    rb"(?:dsn_orig_rcpt=[^\n]*\n)?"
    rb"(?:notify_flags=[^\n]*\n)?"
    rb"(?:status=([^\n]*)\n)?"
    rb"(?:action=([^\n]*)\n)?"
    rb"(?:diag_type=[^\n]*\n)?"
    rb"(?:diag_text=[^\n]*\n)?"
    rb"(?:mta_type=[^\n]*\n)?"
    rb"(?:mta_mname=([^\n]*)\n)?"
    rb"reason=([^\n]*)\n\n+"
)


@dataclass(slots=True)
class Reason:
    """Why one recipient waits."""

    recipient: bytes = NO_ADDRESS
    original: bytes = b""
    status: bytes = NO_STATUS
    action: bytes = NO_ACTION
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
        directory = place / DEFER
        self._directory = f"{directory}/"
        # As deep as it is hashed now; files from before that was changed lie less deep.
        self._levels = range(max(1, depth(directory)), -1, -1)

    def read(self, queue_id: str, path: str = "") -> tuple[float, list[Reason]] | None:
        """When the log was last written, and its entries; None where there is none.  Raises OSError.

        ``path``: of the message.  Mostly the log is in a directory of the same letter.
        """
        beside = path[-len(queue_id) - 3 :]
        if (
            self._levels[0] == 1
            and beside[:1] == beside[2:3] == "/"
            and (found := self._read(beside[1:])) is not None
        ):
            return found
        for levels in self._levels:
            if (found := self._read(hashed(queue_id, levels))) is not None:
                return found
        return None

    def _read(self, name: str) -> tuple[float, list[Reason]] | None:
        try:
            descriptor = os.open(self._directory + name, _FLAGS)
        except FileNotFoundError:
            return None
        try:
            status = os.fstat(descriptor)
            text = os.read(descriptor, min(status.st_size, LARGEST))
        finally:
            os.close(descriptor)
        return status.st_mtime, entries(text)


def entries(text: bytes) -> list[Reason]:
    """The entries of a log.

    Lines that are none are left out, as Postfix does; so is a last entry without its blank line.
    """
    # Otherwise it has bytes that Postfix shows as something else, or takes for the end of a line's text.
    if plain(text, b"\n"):
        found, place = [], 0
        while (entry := _ENTRY.match(text, place)) is not None:
            recipient, original, status, action, name, reason = entry.groups(b"")
            found.append(
                Reason(
                    recipient.strip() or NOBODY,
                    original.strip(),
                    status.strip() or NO_STATUS,
                    action.strip() or NO_ACTION,
                    name.strip(),
                    reason.strip() or NO_REASON,
                )
            )
            place = entry.end()
        if place == len(text):
            return found
    return list(_slowly(text))


def _slowly(text: bytes) -> Iterator[Reason]:
    """The entries of a log of any kind, line by line."""
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
        _line(current, printable(line))


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
