"""Days, weeks and months of the calendar, in a time zone.

A day is from midnight to midnight on the wall clock, so that it has 23 or 25 hours when the clocks change; a
week is that of ISO 8601 and begins on Monday.  Where the clocks jump over midnight, the day begins with its
first instant; where midnight happens twice, with the first of the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from mailscope.vocabulary.instants import naive

Unit = Literal["day", "week", "month"]
UNITS: Final[tuple[Unit, ...]] = ("day", "week", "month")


# A log that begins or ends so near to the edge of a unit holds the whole of it.
NEAR_START: Final = timedelta(hours=1)
NEAR_END: Final = timedelta(hours=3)


@dataclass(frozen=True, order=True)
class Span:
    """One day, week or month: its instants (naive UTC), its first day, and the first day after it.

    ``start`` belongs to it, ``end`` does not.
    """

    start: datetime
    end: datetime
    first: date
    after: date
    unit: Unit

    @property
    def name(self) -> str:
        """What ``--period`` calls it: 2026-11-25, 2026-W48 or 2026-11."""
        if self.unit == "week":
            year, week, _ = self.first.isocalendar()
            return f"{year}-W{week:02}"
        return self.first.isoformat() if self.unit == "day" else f"{self.first:%Y-%m}"

    def days(self) -> list[date]:
        """Its days."""
        return [self.first + timedelta(days=n) for n in range((self.after - self.first).days)]


@dataclass(frozen=True)
class Calendar:
    """Parts time into units of a zone."""

    unit: Unit
    zone: ZoneInfo

    def of_day(self, day: date) -> Span:
        """The unit that a day lies in."""
        if self.unit == "week":
            first = day - timedelta(days=day.weekday())
            return self._span(first, first + timedelta(days=7))
        if self.unit == "month":
            first = day.replace(day=1)
            return self._span(first, (first + timedelta(days=31)).replace(day=1))
        return self._span(day, day + timedelta(days=1))

    def of(self, instant: datetime) -> Span:
        """The unit that an instant (naive UTC) lies in."""
        return self.of_day(instant.replace(tzinfo=UTC).astimezone(self.zone).date())

    def between(self, first: datetime, last: datetime) -> list[Span]:
        """All units from one instant to another, both included."""
        spans, end = [self.of(first)], self.of(last)
        while spans[-1] < end:
            spans.append(self.of_day(spans[-1].after))
        return spans

    def _span(self, first: date, after: date) -> Span:
        return Span(self._midnight(first), self._midnight(after), first, after, self.unit)

    def _midnight(self, day: date) -> datetime:
        return naive(datetime.combine(day, time(), self.zone))
