"""Which day (week, month) is compared, and with which ones before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from mailscope.tallies.keys import DAY, column
from mailscope.tallies.ledger import Ledger
from mailscope.tallies.registry import BY_NAME
from mailscope.vocabulary.calendar import NEAR_END, NEAR_START, Calendar, Span

# Older ones tell of another time.
MOST_WEEKS: Final = 8
MOST_UNITS: Final = 12
# With fewer there is nothing to tell chance by.
FEWEST: Final = 3
WEEK: Final = timedelta(days=7)


@dataclass(frozen=True)
class Days:
    """What is compared: ``span`` with the ``peers`` before it (the same weekdays; or the weeks or months).

    ``units``: all days (weeks, months) before it that the log holds whole, the peers among them, in order.
    ``zone``: whose days they are.
    """

    span: Span
    peers: Sequence[Span]
    units: Sequence[Span]
    zone: ZoneInfo

    @property
    def enough(self) -> bool:
        """Whether there are enough to compare with."""
        return len(self.peers) >= FEWEST

    @property
    def pairs(self) -> list[tuple[Span, Span]]:
        """Units before the compared one, each with the one that follows it: a week later, or the next one."""
        known = {unit.first: unit for unit in self.units}
        if self.span.unit == "day":
            later = ((unit, known.get(unit.first + WEEK)) for unit in self.units)
        else:
            later = ((unit, known.get(unit.after)) for unit in self.units)
        return [(unit, other) for unit, other in later if other is not None]


def compared(ledger: Ledger, zone: ZoneInfo) -> Days | None:
    """What can be compared: the reported unit, or else the last whole day; None for an empty log."""
    history = ledger.history or ledger
    present = days_with_lines(history)
    if not present or not isinstance(history.first, datetime) or not isinstance(history.last, datetime):
        return None
    span = ledger.reported or _last_day(present, history.last, zone)
    calendar = Calendar(span.unit, zone)
    first = calendar.of(history.first)
    units = []
    for unit in dict.fromkeys(calendar.of_day(day) for day in sorted(present) if day < span.first):
        begun = unit != first or history.first - unit.start <= NEAR_START
        if begun and present.issuperset(unit.days()):
            units.append(unit)
    if span.unit == "day":
        units = [unit for unit in units if span.first - unit.first <= MOST_WEEKS * WEEK]
        peers = [unit for unit in units if unit.first.weekday() == span.first.weekday()]
    else:
        peers = units = units[-MOST_UNITS:]
    return Days(span, peers, units, zone)


def _last_day(present: set[date], last: datetime, zone: ZoneInfo) -> Span:
    """The last day that the log holds whole, or the last at all."""
    calendar = Calendar("day", zone)
    days = [calendar.of_day(day) for day in sorted(present)]
    if len(days) > 1 and days[-1].end - last > NEAR_END:
        return days[-2]
    return days[-1]


def days_with_lines(history: Ledger) -> set[date]:
    """The days of which anything was counted."""
    found: set[date] = set()
    for tally in history.wanted:
        if DAY in map(column, tally.keys) and BY_NAME[tally.name] is tally:
            found.update(history.result(tally.name)[DAY].drop_nulls().unique().to_list())
    return found
