"""Keeping tallies: adding batches, merging, and bounding what is kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from mailscope.recognise.events import Events
from mailscope.tallies.days import ROLLED, one_day, rolled_up, summed
from mailscope.tallies.domain import DomainView
from mailscope.tallies.keys import DAY, column, key
from mailscope.tallies.lines import keyed
from mailscope.tallies.registry import BY_NAME, EVERY, LINES
from mailscope.tallies.samples import Samples
from mailscope.tallies.tables import tables
from mailscope.tallies.tally import Tally
from mailscope.trails.tracker import Outcome
from mailscope.vocabulary.calendar import Span
from mailscope.vocabulary.columns import own
from mailscope.vocabulary.fields import FIELDS

# Partial results are merged when they have grown to this many rows, not after every batch.
MERGE_ROWS = 200_000
# Nor may many of them be kept: each holds on to the texts of its batch.
MERGE_PARTS = 16
# Keys with few values, which are told apart even in the rows that are pooled.
TIMES: Final = frozenset({"slot", DAY})
UTC_ZONE: Final = ZoneInfo("UTC")
KEPT: Final = frozenset({"status", "outcome", "event", "internal"})
# Keys that tell of persons: the fields that do, where a client is from, and words that may name anybody.
PERSONAL: Final = frozenset({field.name for field in FIELDS if field.privacy != "none"} | {"client", "shape"})
BOOLEAN: Final = (
    "internal", "expired", "filtered", "held", "deferred", "known", "local_full", "remote_full"
)  # fmt: skip
DTYPES: Final[dict[str, type[pl.DataType]]] = {
    "slot": pl.Int64,
    "bucket": pl.Int32,
    DAY: pl.Date,
    "reply_code": pl.Int64,
    **dict.fromkeys(BOOLEAN, pl.Boolean),
}


@dataclass
class Ledger:
    """Tallies of everything added so far; merging two ledgers gives the tallies of both.

    ``pooled`` says for each tally how many rows (of the rarest keys) were pooled to bound memory; ``zone`` is
    that of the days that tallies tell apart; ``samples`` holds some lines that were counted.
    """

    wanted: tuple[Tally, ...] = EVERY
    zone: ZoneInfo = UTC_ZONE
    samples: Samples = field(default_factory=Samples)
    # Counts mail of some domains only.
    view: DomainView | None = None
    # Where this is one day, week or month: which one, and tallies that tell time apart, of it and of others.
    reported: Span | None = None
    history: Ledger | None = None
    lines: dict[tuple[str, str], int] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    pooled: dict[str, int] = field(default_factory=dict)
    first: object = None
    last: object = None
    merge_rows: int = MERGE_ROWS
    merge_parts: int = MERGE_PARTS
    _parts: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    # Results that are up to date: a report looks at a tally several times.
    _results: dict[str, pl.DataFrame] = field(default_factory=dict)
    # What was found in the tallies, by who looked for it: looking has its price, too.
    found: dict[str, object] = field(default_factory=dict)

    def add(self, batch: list[Events], outcome: Outcome) -> None:
        """Count one batch."""
        if self.view is None:
            self.add_rows(batch, dict(tables(batch, outcome)))
            return
        self._count_all_lines(batch)
        late, frames = self.view.restrict(dict(tables(batch, outcome, addresses=True)))
        # Their lines are of earlier batches.
        self.count([], late)
        self.count(batch, frames)

    def add_rows(self, batch: list[Events], frames: dict[str, pl.DataFrame]) -> None:
        """Count lines, and the rows of tables that were made of them."""
        self._count_all_lines(batch)
        self.count(batch, frames)

    def _count_all_lines(self, batch: list[Events]) -> None:
        for events in batch:
            self._count_lines(events)

    def count(self, batch: list[Events], frames: dict[str, pl.DataFrame]) -> None:
        """Count the rows of a batch's tables."""
        days = {
            name: one_day(frame, self.zone) if "time" in frame.columns else None
            for name, frame in frames.items()
        }
        with self.samples.taking(batch) as sampler:
            for tally in self.wanted:
                if tally.table not in frames or tally.of:
                    continue
                frame = keyed(tally, frames[tally.table])
                self._add(tally, frame, days[tally.table])
                sampler.take(tally, frame)
            sampler.take_unrecognised()

    def _add(self, tally: Tally, frame: pl.DataFrame, day: date | None) -> None:
        """Count rows that bear their keys, in a tally and in those that are rolled up from it."""
        rolled = ROLLED.get(tally.name, ()) if len(frame) else ()
        if rolled and day is None:
            frame = frame.with_columns(key(DAY, str(self.zone)))
            rows = aggregate(tally, frame, DAY)
            self._put(tally, summed(tally, [rows]))
        else:
            rows = aggregate(tally, frame)
            self._put(tally, rows)
        for roll in rolled:
            self._put(roll, rolled_up(roll, rows, day))

    def merge(self, other: Ledger) -> None:
        """Add the tallies of another ledger to these."""
        for name, count in other.totals.items():
            self.totals[name] = self.totals.get(name, 0) + count
        for place, count in other.lines.items():
            self.lines[place] = self.lines.get(place, 0) + count
        for name, count in other.pooled.items():
            self.pooled[name] = self.pooled.get(name, 0) + count
        self._span(other.first, other.last)
        self.samples.merge(other.samples)
        if self.view is not None and other.view is not None:
            self.view.merge(other.view)
        for tally in self.wanted:
            for frame in other._parts.get(tally.name, ()):
                self._put(tally, frame)

    def parts(self) -> dict[str, pl.DataFrame]:
        """The rows of each tally that has any, as they are added up."""
        found = {tally.name: self._parts.get(tally.name, ()) for tally in self.wanted}
        return {
            name: frames[0] if len(frames) == 1 else summed(BY_NAME[name], list(frames))
            for name, frames in found.items()
            if len(frames)
        }

    def add_up(self) -> None:
        """Add up the rows of each tally now, as for whoever asks for them often."""
        for tally in self.wanted:
            parts = self._parts.get(tally.name, ())
            if len(parts) > 1:
                self._parts[tally.name] = [own(summed(tally, list(parts)))]

    def pieces(self, name: str) -> Sequence[pl.DataFrame]:
        """The rows of a tally as they came, not added up: keys may come more than once."""
        return self._parts.get(name, ())

    def as_now(self, names: Collection[str]) -> Ledger:
        """Some tallies, and the counts of lines, as they are now; what is added later does not change it."""
        kept = Ledger(tuple(each for each in self.wanted if each.name in names), self.zone)
        kept.lines, kept.totals = dict(self.lines), dict(self.totals)
        kept.first, kept.last = self.first, self.last
        # Rows are replaced, never changed.
        kept._parts = {name: list(parts) for name, parts in self._parts.items() if name in names}
        return kept

    def put(self, name: str, rows: pl.DataFrame) -> None:
        """Add rows of a tally, as ``parts`` gave them."""
        self._put(BY_NAME[name], rows)

    def by_time(self) -> Ledger:
        """A ledger of the tallies that tell days or hours apart, with few keys besides."""
        kept = Ledger(self.wanted, self.zone, pooled=dict(self.pooled), first=self.first, last=self.last)
        for tally in self.wanted:
            if tells_time(tally):
                kept._parts[tally.name] = list(self._parts.get(tally.name, ()))
        return kept

    def others(self) -> Ledger:
        """What ``by_time`` leaves out: merged with it, it gives the whole again."""
        kept = Ledger(self.wanted, self.zone, self.samples, lines=self.lines, totals=self.totals)
        for tally in self.wanted:
            if not tells_time(tally):
                kept._parts[tally.name] = list(self._parts.get(tally.name, ()))
        return kept

    def nameless(self) -> Ledger:
        """A ledger of the same sums that names no person.

        It has no sample lines, and rows that differ only in addresses, clients, users or words of remotes are
        pooled.
        """
        kept = Ledger(self.wanted, self.zone, pooled=dict(self.pooled), first=self.first, last=self.last)
        kept.lines, kept.totals = dict(self.lines), dict(self.totals)
        for name, rows in self.parts().items():
            blank = [
                pl.lit(None, rows.schema[key]).alias(key)
                for key in map(column, BY_NAME[name].keys)
                if key in PERSONAL
            ]
            if blank:
                whole, rows = rows, summed(BY_NAME[name], [rows.with_columns(blank)])
                kept.pooled[name] = kept.pooled.get(name, 0) + len(whole) - len(rows)
            kept.put(name, own(rows))
        return kept

    def result(self, name: str) -> pl.DataFrame:
        """The rows of a tally, one per combination of keys, the most frequent first."""
        if name == LINES.name:
            return self._lines_by_program()
        if name in self._results:
            return self._results[name]
        tally = next(tally for tally in self.wanted if tally.name == name)
        parts = self._parts.get(name, [])
        if not parts:
            return empty(tally)
        merged = summed(tally, parts)
        self._parts[name] = [merged]
        descending = [True] + [False] * len(tally.keys)
        ordered = merged.sort(tally.measures[0].name, *map(column, tally.keys), descending=descending)
        self._results[name] = ordered.with_columns(measure.shown() for measure in tally.measures)
        return self._results[name]

    def _lines_by_program(self) -> pl.DataFrame:
        rows = [
            (program, known, self.lines.get((program, "read"), 0) - unknown if known else unknown)
            for program, unknown in (
                (program, self.lines.get((program, "unrecognised"), 0))
                for program, outcome in self.lines
                if outcome == "read"
            )
            for known in (True, False)
        ]
        frame = pl.DataFrame(rows, schema=empty(LINES).schema, orient="row")
        return frame.filter(pl.col("count") > 0).sort("count", "program", descending=[True, False])

    def _put(self, tally: Tally, frame: pl.DataFrame) -> None:
        self._results.pop(tally.name, None)
        self.found.clear()
        parts = self._parts.setdefault(tally.name, [])
        parts.append(frame)
        grown = sum(map(len, parts[1:])) > max(self.merge_rows, len(parts[0]) // 2)
        if len(parts) > 1 and (grown or len(parts) > self.merge_parts):
            merged = summed(tally, parts)
            if len(merged) > tally.cap:
                merged = self._pool(tally, merged)
            self._parts[tally.name] = [own(merged)]

    def _pool(self, tally: Tally, merged: pl.DataFrame) -> pl.DataFrame:
        """Keep the most frequent half of the cap; the rest becomes a row with null keys for each outcome."""
        ordered = merged.sort(tally.measures[0].name, descending=True)
        kept, rest = ordered.head(tally.cap // 2), ordered.slice(tally.cap // 2)
        self.pooled[tally.name] = self.pooled.get(tally.name, 0) + len(rest)
        keys = [column(name) for name in tally.keys]
        blank = [pl.lit(None, merged.schema[name]).alias(name) for name in keys if name not in KEPT]
        return pl.concat([kept, summed(tally, [rest.with_columns(blank)]).select(kept.columns)])

    def _count_lines(self, events: Events) -> None:
        unknown = len(events.unrecognised)
        counts = {
            "read": events.read + events.blank + events.duplicate,
            # Counted from the lines that patterns took, not as the rest: the balance sheet is a check.
            "recognised": sum(part.lines for part in events.parts),
            "unrecognised": unknown,
            "blank": events.blank,
            "duplicate": events.duplicate,
        }
        for name, count in counts.items():
            self.totals[name] = self.totals.get(name, 0) + count
        code = events.recognised.tag_code
        if events.alive is not None:
            code = code.filter(events.alive)
        self._by_program(events, code, "read")
        if unknown:
            self._by_program(events, events.recognised.tag_code.gather(events.unrecognised), "unrecognised")
        time = events.time if events.alive is None else events.time.filter(events.alive)
        if len(time):
            self._span(time.min(), time.max())

    def _by_program(self, events: Events, code: pl.Series, outcome: str) -> None:
        counts = code.value_counts()
        programs = events.recognised.tags["program"].gather(counts[code.name])
        summed = pl.DataFrame({"program": programs, "count": counts["count"]}).group_by("program").sum()
        for program, count in summed.iter_rows():
            place = (program or "", outcome)
            self.lines[place] = self.lines.get(place, 0) + count

    def _span(self, first: object, last: object) -> None:
        if first is not None:
            self.first = first if self.first is None else min(self.first, first)  # type: ignore[call-overload]
        if last is not None:
            self.last = last if self.last is None else max(self.last, last)  # type: ignore[call-overload]


def aggregate(tally: Tally, frame: pl.DataFrame, *besides: str) -> pl.DataFrame:
    """One batch's rows of a tally, from rows that bear its keys; ``besides``: further keys."""
    return frame.group_by([*map(column, tally.keys), *besides]).agg(
        [measure.first() for measure in tally.measures]
    )


def tells_time(tally: Tally) -> bool:
    """Whether a tally tells days or hours apart."""
    return bool(TIMES & set(map(column, tally.keys)))


def empty(tally: Tally) -> pl.DataFrame:
    """A tally of nothing."""
    keys = {column(name): DTYPES.get(column(name), pl.String) for name in tally.keys}
    measures = {
        measure.name: pl.Float64 if measure.name.endswith("_s") else pl.Int64 for measure in tally.measures
    }
    return pl.DataFrame(schema={**keys, **measures})
