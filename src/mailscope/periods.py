"""The same flow, cut into days, weeks or months: one of them is reported, those before it are its history.

Each unit is followed by itself, so that its numbers are those of ``--since`` and ``--until``: what came
before is *before the log*, and what is not finished at its end is *open*.  Only the tallies of the reported
unit are kept whole; of the others, those that tell days apart.  So memory grows neither with the days nor
with what is in them, and the log is read once, which standard input wants.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from mailscope.pipeline import Pipeline
from mailscope.recognise.events import Events
from mailscope.sequence.selection import Selection
from mailscope.tallies.domain import DomainView
from mailscope.tallies.ledger import Ledger
from mailscope.trails.tracker import Outcome, Tracker
from mailscope.vocabulary.calendar import NEAR_END, NEAR_START, Calendar, Span

# How far behind a line may come (other hosts' clocks) and still be followed with its unit.
LATE: Final = timedelta(hours=2)
# A unit has fewer messages than two to this power.
TRAILS: Final = 40
# A unit that ended so shortly ago is over: a quiet site may have logged nothing in its last hours.
JUST_NOW: Final = timedelta(days=1)


# A unit, some of its lines, and what they add to its messages.
Followed = tuple[Span, list[Events], Outcome]


@dataclass(frozen=True)
class Reported:
    """The unit that is reported, its tallies with its history, and whether the log holds all of it."""

    span: Span
    ledger: Ledger
    complete: bool


@dataclass
class Spanned(Pipeline):
    """A pipeline that follows each unit of a calendar by itself."""

    calendar: Calendar | None = None

    def follow(self) -> Iterator[tuple[list[Events], Outcome]]:
        """Batches with what each adds, unit by unit; a unit's last pair has no lines."""
        for _, batch, outcome in self.follow_spans():
            yield batch, outcome

    def follow_spans(self) -> Iterator[Followed]:
        """The same, each with its unit.  Lines whose instant is not known belong to none."""
        assert self.calendar is not None
        units = Units(self.calendar, detail=self.needed is None)
        batches = self.batches()
        while (batch := next(batches, None)) is not None:
            yield from units.feed(batch)
            del batch
        yield from units.finish()


@dataclass
class Units:
    """The messages under way, those of each unit by themselves.  Feed it batches, then ``finish``."""

    calendar: Calendar
    detail: bool = False
    trackers: dict[Span, Tracker] = field(default_factory=dict)
    begun: int = 0

    def feed(self, batch: list[Events]) -> Iterator[Followed]:
        """Follow the messages of one batch; a unit that is over by then ends with one without lines."""
        for span, part in parted(batch, self.calendar):
            if span not in self.trackers:
                # Numbers of trails do not meet, so that they tell messages of all units apart.
                self.begun += 1
                self.trackers[span] = self.begin(span, self.begun << TRAILS)
            yield span, part, self.trackers[span].feed(part)
            newest = part[-1].time.max()
            del part
            if isinstance(newest, datetime):
                for over in [each for each in self.trackers if each.end + LATE < newest]:
                    yield from self.end(over)

    def finish(self) -> Iterator[Followed]:
        """The log has ended, and all units with it."""
        for span in list(self.trackers):
            yield from self.end(span)

    def begin(self, span: Span, next_trail: int) -> Tracker:
        """What follows a unit that begins."""
        return Tracker(detail=self.detail, next_trail=next_trail)

    def end(self, span: Span) -> Iterator[Followed]:
        """Tell what is known at the end of a unit."""
        yield span, [], self.trackers.pop(span).finish()


def parted(batch: list[Events], calendar: Calendar) -> Iterator[tuple[Span, list[Events]]]:
    """A batch cut at the edges of units."""
    edges = [(events.time.min(), events.time.max()) for events in batch if len(events.time)]
    told = [edge for pair in edges for edge in pair if isinstance(edge, datetime)]
    if not told:
        return
    spans = calendar.between(min(told), max(told))
    if len(spans) == 1 and not any(events.time.null_count() for events in batch):
        yield spans[0], batch
        return
    for number, span in enumerate(spans):
        part = [Selection(span.start, span.end).apply(events) for events in batch]
        if number:
            # Blank and repeated lines have no instant: they are counted once.
            part = [replace(events, blank=0, duplicate=0) for events in part]
        if any(events.read or events.blank or events.duplicate for events in part):
            yield span, part


@dataclass
class Count:
    """The tallies of the units that may be the one reported, and the history of all."""

    calendar: Calendar
    wanted: Span | None = None
    domains: Collection[str] = ()
    history: Ledger = field(default_factory=Ledger)
    ledgers: dict[Span, Ledger] = field(default_factory=dict)
    met: dict[Span, tuple[datetime, datetime]] = field(default_factory=dict)
    # Units that are not over yet, whatever comes after them.
    held: set[Span] = field(default_factory=set)

    def add(self, span: Span, batch: list[Events], outcome: Outcome) -> None:
        """Count what a batch adds to a unit."""
        ledger = self.ledger(span)
        ledger.add(batch, outcome)
        if isinstance(ledger.first, datetime) and isinstance(ledger.last, datetime):
            first, last = self.met.get(span, (ledger.first, ledger.last))
            self.met[span] = min(first, ledger.first), max(last, ledger.last)
        if not batch:
            self._condense()

    def ledger(self, span: Span) -> Ledger:
        """The tallies of a unit."""
        if span not in self.ledgers:
            view = DomainView(self.domains) if self.domains else None
            self.ledgers[span] = Ledger(zone=self.calendar.zone, view=view)
        return self.ledgers[span]

    def merge(self, later: Count) -> None:
        """Add what was counted of a later part of the log."""
        for span, ledger in later.ledgers.items():
            if span in self.ledgers:
                self.ledgers[span].merge(ledger)
            else:
                self.ledgers[span] = ledger
        for span, (first, last) in later.met.items():
            before = self.met.get(span, (first, last))
            self.met[span] = min(before[0], first), max(before[1], last)
        self.history.merge(later.history)

    def _condense(self) -> None:
        """Keep the latest unit that is over (all lines after it are later ones), and those under way."""
        over = sorted(self.ledgers)[:-2]
        for span in over:
            if span != self.wanted and span not in self.held:
                self.history.merge(self.ledgers.pop(span).by_time())

    def reported(self, now: datetime) -> Reported | None:
        """The unit asked for, or the last that is complete, or else the last; None where it has no lines."""
        whole = [span for span in sorted(self.met) if self.over(span, now)]
        met = whole or sorted(self.met)
        span = self.wanted or (met[-1] if met else None)
        ledger = self.ledgers.get(span) if span is not None else None
        if span is None or ledger is None or span not in self.met:
            return None
        for other in self.ledgers.values():
            self.history.merge(other.by_time())
        ledger.history, ledger.reported = self.history, span
        return Reported(span, ledger, self.over(span, now) and self._begins(span))

    def over(self, span: Span, now: datetime) -> bool:
        """Whether a unit has all its lines: there are later ones, or the log reaches its end."""
        if span != max(self.met):
            return True
        return ended(span, self.met[span][1], now)

    def _begins(self, span: Span) -> bool:
        return span != min(self.met) or self.met[span][0] - span.start <= NEAR_START


def ended(span: Span, last: datetime, now: datetime) -> bool:
    """Whether a log's last unit is over: it is past, and its last line is near its end, or it just ended."""
    return now >= span.end and (span.end - last <= NEAR_END or now - span.end <= JUST_NOW)


def selected(span: Span, chosen: Selection) -> Selection:
    """The lines of a unit, of those hosts that are chosen."""
    return Selection(span.start, span.end, chosen.hosts)


def count(
    pipeline: Spanned, wanted: Span | None, now: datetime, domains: Collection[str] = ()
) -> Reported | None:
    """Tallies of one unit and of its history, of some domains' mail or all; ``now`` is naive UTC."""
    assert pipeline.calendar is not None
    zone = pipeline.calendar.zone
    counted = Count(pipeline.calendar, wanted, domains, Ledger(zone=zone))
    for span, batch, outcome in pipeline.follow_spans():
        counted.add(span, batch, outcome)
    return counted.reported(now)
