"""Patterns of multilog: ``*`` stands for any string that does not hold the next character of the pattern."""

from __future__ import annotations

import re


def pattern(text: bytes) -> re.Pattern[bytes]:
    """A regular expression that a whole line fits just as ``match.c`` says that the pattern does.

    There is no way back from a wrong guess in either: ``*`` ends at the first character that may follow it.
    A star behind a star is such a character too: the line must have one there.
    """
    parts = []
    place = 0
    while place < len(text):
        char = text[place : place + 1]
        place += 1
        if char != b"*":
            parts.append(re.escape(char))
            continue
        following = text[place : place + 1]
        if not following:
            parts.append(b".*+")
        else:
            parts.append(b"[^%b]*+(?=%b)" % (_in_class(following), re.escape(following)))
    return re.compile(b"".join(parts), re.DOTALL)


def _in_class(char: bytes) -> bytes:
    return b"\\x%02x" % char[0]
