"""Labels with a bounded number of values, whatever a log says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from mailscope.watch.metrics.families import NONE, OTHER

# Values of one label of one metric.  Those that come first have a place for good: a value that changed
# between a name of its own and "other" would make a counter fall.
MOST: Final = 50
MOST_PROGRAMS: Final = 100
LONGEST: Final = 60


@dataclass
class Labels:
    """The values that have a place, by metric and label."""

    _known: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def admit(self, family: str, label: str, value: str) -> str:
        """The value to show."""
        value = printable(value)
        known = self._known.setdefault((family, label), set())
        if value in known or value == NONE:
            return value
        if len(known) >= (MOST_PROGRAMS if label == "program" else MOST):
            return OTHER
        known.add(value)
        return value

    def place(self, family: str, names: Iterable[str], values: Iterable[str | None]) -> tuple[str, ...]:
        """The values to show of all labels of a row."""
        return tuple(
            self.admit(family, label, NONE if value is None or value == "" else value)
            for label, value in zip(names, values, strict=True)
        )


def printable(value: str, longest: int = LONGEST) -> str:
    """A value that harms no screen, not longer than it may be."""
    cut = value[:longest]
    return cut if cut.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in cut)
