"""Numbers as awk reads, compares and prints them.

- A field used as a number is its longest beginning that looks like a decimal number, or 0.
- A field that looks like a number as a whole compares as a number with another such field; all else
  compares byte by byte (POSIX awk, "Expressions in awk": numeric strings, in the C locale).
- A number that is whole prints with all its digits, any other with OFMT's ``%.6g``.

Where implementations part, this follows POSIX with gawk and the one true awk; docs/qmailanalog.md names
the places (mawk 1.3.4 prints whole numbers from 2^31 as ``2.14748e+09``).
"""

from __future__ import annotations

import re
from math import copysign, inf, isfinite, nan
from typing import Final

DECIMAL: Final = re.compile(rb"[ \t\n]*([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)[ \t\n]*")
# Escapes in an operand NAME=VALUE, which awk reads as in a string constant.
ESCAPE: Final = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
NAMED_ESCAPES: Final = {
    b"a": b"\a",
    b"b": b"\b",
    b"f": b"\f",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"v": b"\v",
}
BYTE: Final = 0xFF


def number(text: bytes) -> float:
    """The text's value as a number: of ``12abc`` 12, of ``abc`` 0."""
    found = DECIMAL.match(text)
    return float(found[1]) if found else 0.0


def numeric(text: bytes) -> float | None:
    """The text's value where it looks like a number as a whole; otherwise None."""
    found = DECIMAL.fullmatch(text)
    return float(found[1]) if found else None


def numbers(texts: list[bytes]) -> list[float]:
    """The values of many texts as numbers."""
    values = numerics(texts)
    return list(map(number, texts)) if values is None else values


def numerics(texts: list[bytes]) -> list[float] | None:
    """The values of many texts if all look like plain numbers as a whole; otherwise None.

    Python knows 1_000, inf and nan besides, which awk does not; an endless value is left to the caller.
    """
    try:
        values = list(map(float, texts))
    except ValueError:
        return None
    return values if b"_" not in b"".join(texts) and isfinite(sum(values)) else None


def less(left: bytes, right: bytes) -> bool:
    """Whether awk's ``<`` holds: by value if both look like numbers, else byte by byte."""
    one, other = numeric(left), numeric(right)
    return left < right if one is None or other is None else one < other


def printed(value: float) -> bytes:
    """The number as ``print`` writes it."""
    if isfinite(value) and value == int(value):
        return b"%d" % int(value)
    return _signed(value, b"%.6g" % value)


def fixed(value: float, decimals: int) -> bytes:
    """The number as ``sprintf("%.Nf")`` writes it."""
    text = b"%.*f" % (decimals, value)
    return text if value == value else _signed(value, text)


def quotient(dividend: float, divisor: float) -> float:
    """One number by another; by zero it is what the processor's division gives, as in mawk."""
    if divisor:
        return dividend / divisor
    return copysign(inf, dividend) if dividend and dividend == dividend else -nan


def unescaped(argument: bytes) -> bytes:
    r"""A command's argument as awk takes ``x=ARGUMENT``: ``\\`` is one backslash, ``\101`` is A."""
    return ESCAPE.sub(_escape, argument) if b"\\" in argument else argument


def _signed(value: float, text: bytes) -> bytes:
    # The C library shows the sign of a value that is not a number; Python never does.
    return b"-" + text if value != value and copysign(1, value) < 0 else text


def _escape(found: re.Match[bytes]) -> bytes:
    what = found[1]
    if what[0] in b"01234567":
        return bytes([int(what, 8) & BYTE])
    return NAMED_ESCAPES.get(what, what)
