"""A control file of Sendmail (qf, hf, Qf): one letter for what a line holds.

Source: Sendmail Installation and Operation Guide 8.17, appendix B; readqf() of queue.c.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

MOST_BYTES: Final = 64 << 20
# Lines that a list has no use for: see the guide.
_OTHER: Final = frozenset(b"ABCDEFHIPQZd$!Yr")


@dataclass
class Control:
    """``recipients``: address and original address.  ``unknown``: lines of no known kind.

    ``whole``: whether the line is there that ends the file.
    """

    version: int = 0
    sender: bytes | None = None
    arrival_time: int | None = None
    last_attempt_time: int | None = None
    attempts: int | None = None
    message: bytes = b""
    quarantine: bytes | None = None
    data_directory: bytes = b""
    recipients: list[tuple[bytes, bytes]] = field(default_factory=list)
    header: list[bytes] = field(default_factory=list)
    unknown: int = 0
    whole: bool = False


def parse(data: bytes) -> Control:
    """Read a control file."""
    found = Control()
    original = b""
    for line in _unfolded(data):
        kind, rest = line[:1], line[1:]
        if kind == b".":
            found.whole = True
            break
        if kind == b"R":
            found.recipients.append((_address(rest, found.version), original))
            original = b""
        elif kind == b"Q":
            # ORCPT: what the sender's server had called it, with its type.
            original = rest.partition(b";")[2].strip()
        else:
            _take(found, kind, rest)
    return found


def _take(found: Control, kind: bytes, rest: bytes) -> None:
    if kind == b"V":
        found.version = _number(rest) or 0
    elif kind == b"S":
        found.sender = rest.strip().removeprefix(b"<").removesuffix(b">")
    elif kind == b"T":
        found.arrival_time = _number(rest)
    elif kind == b"K":
        found.last_attempt_time = _number(rest) or None
    elif kind == b"N":
        found.attempts = _number(rest)
    elif kind == b"M":
        found.message = rest
    elif kind == b"q":
        found.quarantine = rest
    elif kind == b"d":
        found.data_directory = rest
    elif kind == b"H":
        # H?flags?name: value
        found.header.append(rest.partition(b"?")[2].partition(b"?")[2] if rest.startswith(b"?") else rest)
    elif not kind or kind[0] not in _OTHER:
        found.unknown += 1


def _unfolded(data: bytes) -> list[bytes]:
    """Lines; those that begin with a blank belong to the one before."""
    lines: list[bytes] = []
    parts: list[bytes] = []
    for line in data.split(b"\n"):
        if line[:1] in (b" ", b"\t") and parts:
            parts.append(line)
            continue
        if parts:
            lines.append(b"\n".join(parts))
        parts = [line]
    if parts and parts != [b""]:
        lines.append(b"\n".join(parts))
    return lines


def _address(rest: bytes, version: int) -> bytes:
    """A recipient without its flags, which stand before a colon since version 1."""
    if version:
        flags, colon, address = rest.partition(b":")
        if colon and (not flags or flags.isalpha()):
            rest = address
    rest = rest.strip()
    return rest[1:-1] if rest.startswith(b"<") and rest.endswith(b">") else rest


def _number(text: bytes) -> int | None:
    word = text.strip()
    return int(word) if word.isdigit() and len(word) < 19 else None
