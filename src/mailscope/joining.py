"""What is counted of each half of a log, and how the two become what would have been counted of the whole.

``Whole`` follows all lines as one log; ``Parted`` follows each day, week or month by itself (``periods.py``).
The second half is followed without knowing the first: messages that may have begun there are set aside, and
the first half's trackers follow them when the halves are joined.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from mailscope.periods import Count, Followed, Reported, Units
from mailscope.recognise.events import Events
from mailscope.tallies.domain import DomainView
from mailscope.tallies.ledger import Ledger
from mailscope.trails.partial import PartialTracker, PartsDoNotJoin, join
from mailscope.trails.tracker import Tracker
from mailscope.vocabulary.calendar import Calendar, Span

# Numbers of trails of the second half, and of its units, lie beyond those of the first.
SECOND_TRAILS: Final = 1 << 48
SECOND_UNITS: Final = 1 << 20


class Whole:
    """All lines of a half as one log."""

    def __init__(self, zone: ZoneInfo, domains: Collection[str], *, second: bool) -> None:
        self.ledger = Ledger(zone=zone, view=DomainView(domains) if domains else None)
        self.tracker = (
            PartialTracker(detail=False, next_trail=SECOND_TRAILS) if second else Tracker(detail=False)
        )

    def add(self, batch: list[Events]) -> None:
        """Count a batch."""
        self.ledger.add(batch, self.tracker.feed(batch))

    def close(self) -> None:
        """The half has ended; its messages go on in the other one."""

    def join(self, second: Whole) -> Ledger:
        """The tallies of both halves.  Raises PartsDoNotJoin where that is not certain to be right."""
        assert isinstance(second.tracker, PartialTracker)
        self.ledger.add([], join(self.tracker, second.tracker))
        self.ledger.merge(second.ledger)
        self.ledger.add([], self.tracker.finish())
        return self.ledger


@dataclass
class SecondUnits(Units):
    """The units of a second half.  Those that may have begun in the first are set ``aside`` at their end."""

    begun: int = SECOND_UNITS
    since: datetime | None = None
    aside: dict[Span, PartialTracker] = field(default_factory=dict)

    def feed(self, batch: list[Events]) -> Iterator[Followed]:
        """Follow the messages of one batch."""
        if self.since is None:
            first = batch[0].time.min() if batch else None
            self.since = first if isinstance(first, datetime) else None
        yield from super().feed(batch)

    def begin(self, span: Span, next_trail: int) -> Tracker:
        """A unit that begins after the half does began in it."""
        if (self.since is not None and span.start > self.since) or span in self.aside:
            return super().begin(span, next_trail)
        return PartialTracker(detail=self.detail, next_trail=next_trail)

    def end(self, span: Span) -> Iterator[Followed]:
        """Tell what is known at the end of a unit, or set it aside."""
        tracker = self.trackers[span]
        if isinstance(tracker, PartialTracker):
            self.aside[span] = tracker
            del self.trackers[span]
        else:
            yield from super().end(span)


class Parted:
    """Each day, week or month of a half by itself."""

    def __init__(
        self, calendar: Calendar, wanted: Span | None, domains: Collection[str], *, second: bool
    ) -> None:
        self.counted = Count(calendar, wanted, domains, Ledger(zone=calendar.zone))
        self.units = SecondUnits(calendar) if second else Units(calendar)

    def add(self, batch: list[Events]) -> None:
        """Count a batch."""
        self._count(self.units.feed(batch))

    def close(self) -> None:
        """The half has ended.  The first one's units go on, the second one's are over."""
        if isinstance(self.units, SecondUnits):
            self._count(self.units.finish())

    def _count(self, followed: Iterator[Followed]) -> None:
        for span, batch, outcome in followed:
            if isinstance(self.units.trackers.get(span), PartialTracker):
                # What the first half adds to it is not known here.
                self.counted.held.add(span)
            self.counted.add(span, batch, outcome)

    def join(self, second: Parted, now: datetime) -> Reported | None:
        """The unit that is reported, of both halves.  Raises PartsDoNotJoin as that of ``Whole``."""
        assert isinstance(second.units, SecondUnits)
        aside = second.units.aside
        if any(span in second.counted.ledgers and span not in aside for span in self.units.trackers):
            raise PartsDoNotJoin
        for span, partial in aside.items():
            tracker = self.units.trackers.pop(span, None) or Tracker(detail=False)
            ledger = self.counted.ledger(span)
            ledger.add([], join(tracker, partial))
            ledger.merge(second.counted.ledgers.pop(span))
            ledger.add([], tracker.finish())
        for span, tracker in self.units.trackers.items():
            self.counted.ledger(span).add([], tracker.finish())
        self.counted.merge(second.counted)
        return self.counted.reported(now)
