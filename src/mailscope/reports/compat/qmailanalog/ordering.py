"""The orders that the reports ask sort(1) for, as in the C locale.

Each is a key for ``sorted``: the key that was asked for, then the whole line, which decides between
equals (GNU sort's last resort).  Source: POSIX sort; a field begins with the blanks before it.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

VALUE: Final = re.compile(rb"[ \t]*(-?)([0-9]*)(?:\.([0-9]*))?")


def from_field(line: bytes, number: int) -> bytes:
    """The line from field ``number`` on, with the blanks before it: what ``-kN`` compares."""
    # Possessive: a field is not cut in two to make up the number.
    found = re.match(rb"(?:[ \t]*+[^ \t]++){%d}" % (number - 1), line)
    return line[found.end() :] if found else b""


def by_text_from(number: int, line: bytes) -> tuple[bytes, bytes]:
    """``sort -kN``."""
    return from_field(line, number), line


def by_value(line: bytes) -> tuple[Decimal, bytes]:
    """``sort -n``."""
    return _value(line), line


def by_value_from(number: int, line: bytes) -> tuple[Decimal, bytes]:
    """``sort -n -kN``."""
    return _value(from_field(line, number)), line


def _value(text: bytes) -> Decimal:
    # Exact at any length, and no exponents: 1e-05 is 1, as sort -n has it.
    found = VALUE.match(text)
    assert found
    sign, whole, fraction = found[1], found[2] or b"0", found[3] or b"0"
    return Decimal((sign + whole + b"." + fraction).decode("ascii"))
