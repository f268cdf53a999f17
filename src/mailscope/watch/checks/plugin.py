"""What a plugin says: a state, one line with performance data, and lines of detail.

The form is that of the Monitoring Plugins guidelines.  Text of logs cannot end the line or begin the
performance data in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any, Final, Self

from mailscope.watch.checks.ranges import Range, plain

MOST_DETAILS: Final = 20
LONGEST: Final = 300


class State(IntEnum):
    """The exit code."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True)
class Figure:
    """A number; ``value``: None where nothing was measured; ``unit``: "", s, %, B or c (a counter)."""

    label: str
    value: float | None
    unit: str = ""
    minimum: float | None = 0
    maximum: float | None = None

    def perfdata(self, warning: Range | None = None, critical: Range | None = None) -> str:
        """``'label'=value[unit];warn;crit;min;max``, without what is empty at the end."""
        label = _line(self.label).replace("=", "_").replace("'", "''")
        value = "U" if self.value is None else f"{plain(self.value)}{self.unit}"
        parts = [
            f"'{label}'={value}",
            "" if warning is None else str(warning),
            "" if critical is None else str(critical),
            "" if self.minimum is None else plain(self.minimum),
            "" if self.maximum is None else plain(self.maximum),
        ]
        return ";".join(parts).rstrip(";")


@dataclass(frozen=True)
class Measured:
    """What was measured.

    ``figures``: the first is held against the ranges.  ``words``: it in a few words.  ``details``: more
    lines.  ``worst``: at least this state, whatever the ranges say.  ``few``: it is too little to be judged.
    """

    figures: tuple[Figure, ...]
    words: str
    details: tuple[str, ...] = ()
    worst: State = State.OK
    few: bool = False

    def record(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """From what JSON held."""
        return cls(
            tuple(Figure(**each) for each in told["figures"]),
            told["words"],
            tuple(told["details"]),
            State(told["worst"]),
            told["few"],
        )


@dataclass(frozen=True)
class Outcome:
    """What a check says in the end."""

    service: str
    state: State
    words: str
    perfdata: str = ""
    details: Sequence[str] = ()

    @property
    def text(self) -> str:
        """What it prints."""
        data = f" | {self.perfdata}" if self.perfdata else ""
        lines = [f"{self.service} {self.state.name}: {_line(self.words)}{data}"]
        more = len(self.details) - MOST_DETAILS
        lines += [_line(each) for each in self.details[:MOST_DETAILS]]
        return "\n".join([*lines, *([f"and {more} more"] if more > 0 else [])])


def judged(service: str, found: Measured, warning: Range | None, critical: Range | None) -> Outcome:
    """The outcome: critical is looked at first."""
    held = found.figures[0].value if found.figures and not found.few else None
    state = State.OK
    if held is not None:
        if critical is not None and critical.alerts(held):
            state = State.CRITICAL
        elif warning is not None and warning.alerts(held):
            state = State.WARNING
    data = [
        each.perfdata(*((warning, critical) if not number else ()))
        for number, each in enumerate(found.figures)
    ]
    return Outcome(service, max(state, found.worst), found.words, " ".join(data), found.details)


def unknown(service: str, why: str) -> Outcome:
    """Nothing could be measured."""
    return Outcome(service, State.UNKNOWN, why)


def _line(text: str) -> str:
    """One line without the sign that begins performance data."""
    shown = text.replace("|", "/")
    if not shown.isprintable():
        shown = "".join(
            char if char.isprintable() else char.encode("unicode_escape", "replace").decode("ascii")
            for char in shown
        )
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}..."
