"""Ranges of a threshold, as the Monitoring Plugins guidelines write them.

    10      alert below 0 or above 10       10:20   alert below 10 or above 20
    10:     alert below 10                  @10:20  alert from 10 to 20, both included
    ~:10    alert above 10

Ours besides: a number may have a unit of time (``90s``, ``15m``, ``4h``, ``2d``) and is then told in seconds.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final, Self

_NUMBER: Final = r"-?(?:[0-9]{1,15}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})[smhd]?"
_RANGE: Final = re.compile(rf"(?P<inside>@)?(?:(?P<start>~|{_NUMBER})?:)?(?P<end>{_NUMBER})?")
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Range:
    """From ``start`` to ``end``, both included; ``inside``: it alerts within, otherwise outside of it."""

    start: float = 0.0
    end: float = math.inf
    inside: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """A range as it is written.  Raises ValueError with a reason."""
        found = _RANGE.fullmatch(text.strip())
        if found is None or not (found["start"] or found["end"]):
            raise ValueError("it is no range, such as 10, 10:, ~:10, 10:20 or @10:20")
        start = -math.inf if found["start"] == "~" else number(found["start"] or "0")
        end = number(found["end"]) if found["end"] else math.inf
        if start > end:
            raise ValueError("its start is above its end")
        return cls(start, end, found["inside"] is not None)

    def alerts(self, value: float) -> bool:
        """Whether a value is to be told of."""
        return (self.start <= value <= self.end) is self.inside

    def __str__(self) -> str:
        start = "~:" if self.start == -math.inf else f"{plain(self.start)}:" if self.start else ""
        end = "" if self.end == math.inf else plain(self.end)
        # Nothing at all would be no range.
        return f"{'@' if self.inside else ''}{start or ('' if end else '0:')}{end}"


def number(text: str) -> float:
    """A number that may have a unit of time.  Raises ValueError."""
    return float(text[:-1]) * _UNITS[text[-1]] if text[-1:] in _UNITS else float(text)


def duration(text: str) -> float:
    """A span in seconds, such as ``900``, ``15m`` or ``1h``.  Raises ValueError with a reason."""
    if not re.fullmatch(_NUMBER, text) or number(text) <= 0:
        raise ValueError("it is no span, such as 900 (seconds), 15m, 1h or 2d")
    return number(text)


def plain(value: float) -> str:
    """A number without an exponent, as performance data have it."""
    if value == int(value):
        return str(int(value))
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
