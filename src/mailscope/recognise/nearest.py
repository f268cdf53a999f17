"""Which patterns come nearest to a text that none knows, and how far into it each of them gets."""

from __future__ import annotations

import re._compiler as compiler  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mailscope.recognise.pattern import Pattern
from mailscope.recognise.prefix import beginnings

DEPTH: Final = 40
# Finding out how far a pattern gets means compiling it piece by piece.
LOOKED_AT_CLOSELY: Final = 60


@dataclass(frozen=True, slots=True)
class Near:
    """A pattern with the number of characters of the text that it matches before it fails."""

    pattern: Pattern
    reached: int


def nearest(patterns: Iterable[Pattern], text: str, most: int) -> list[Near]:
    """The patterns that get farthest into a text, farthest first; none that fails at its first character."""
    entries = [(pattern, _literal_agreement(pattern, text)) for pattern in patterns]
    entries.sort(key=lambda entry: -entry[1])
    found = [
        Near(pattern, max(literal, reach(pattern, text))) for pattern, literal in entries[:LOOKED_AT_CLOSELY]
    ]
    found.sort(key=lambda near: -near.reached)
    return [near for near in found[:most] if near.reached]


def reach(pattern: Pattern, text: str) -> int:
    """How many characters the longest leading part of a pattern matches at the text's beginning."""
    parsed = parser.parse(pattern.expanded)
    low, high, reached = 0, len(parsed), 0
    # A part that matches has leading parts that match, so the longest is found by halving.
    while low < high:
        middle = (low + high + 1) // 2
        found = compiler.compile(parsed[:middle]).match(text)
        if found is None:
            high = middle - 1
        else:
            low, reached = middle, found.end()
    return reached


def _literal_agreement(pattern: Pattern, text: str) -> int:
    """How many characters of the text the pattern's own beginning shares."""
    return max((_shared(beginning, text) for beginning in beginnings(pattern.expanded, DEPTH)), default=0)


def _shared(one: str, two: str) -> int:
    at = 0
    while at < min(len(one), len(two)) and one[at] == two[at]:
        at += 1
    return at
