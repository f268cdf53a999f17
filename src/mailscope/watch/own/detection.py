"""A detection that an admin's file describes, among the built-in ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.recognise.events import CORE
from mailscope.vocabulary.columns import take
from mailscope.watch.detection import About, Frames
from mailscope.watch.finding import Figure, Signal
from mailscope.watch.own.columns import bases, with_derived
from mailscope.watch.own.files import Definition
from mailscope.watch.own.hours import Hours, hour_of
from mailscope.watch.seen import Seen
from mailscope.watch.window import LAST, SINCE, Measure, Window, told

UNRECOGNISED: Final = "unrecognised"
KEY: Final = "_key"
# Joins the values of a group; no log text holds it.
NUL: Final = "\0"
# Keys that are held against what is usual in one batch, those of the largest values.
MOST_JUDGED: Final = 200
# What is usual counts as so much at least: a thousand times nothing is nothing.
LEAST_USUAL: Final = 1.0
NOTHING: Final = pl.DataFrame(schema={"time": pl.Datetime("us"), KEY: pl.String})


def about_of(definition: Definition) -> About:
    """What is told of it."""
    own = definition.own
    return About(
        name=own.name, sees=own.description, why=own.why, false_positives=own.false_positives,
        advice=own.advice, commands=own.commands, quiet_s=own.quiet_s, again_s=own.again_s,
    )  # fmt: skip


class OwnDetection:
    """Counts events that fit, by their group, over a window.

    ``met``: events of its kinds, of which ``where`` chooses.
    """

    def __init__(self, definition: Definition) -> None:
        self.about = about_of(definition)
        self._own, self._where = definition.own, definition.where.expr
        self._part = definition.part
        self._columns = definition.columns
        fields = bases(self._columns)
        self.needs = {kind: fields for kind in self._own.events if kind != UNRECOGNISED}
        self._asked = (*fields, *({"text"} & self._columns))
        self._window = Window((KEY,), self._measures(), self._own.window_s)
        self.met = 0
        self._mark = _mark_of(definition)
        self._hours = None if self._own.times_usual is None else Hours(self._own, self._part.expr)

    def _measures(self) -> tuple[Measure, ...]:
        match self._own.measure:
            case "distinct" | "sum" as kind:
                return (Measure("value", kind, self._own.field),)
            case "share":
                return (Measure("all"), Measure("part", where=self._part.expr))
        return (Measure("value"),)

    def see(self, seen: Seen) -> Iterator[Signal]:
        """Look at a batch."""
        rows = self._rows(seen)
        if self._hours is None:
            yield from self._judged(seen, rows, None)
            return
        if self._hours.hour is None and seen.read:
            first = seen.lines["time"].min()
            self._hours.pass_to(hour_of(first if isinstance(first, datetime) else seen.now))
        for (hour,), mine in rows.group_by(pl.col("time").dt.truncate("1h"), maintain_order=True):
            assert isinstance(hour, datetime)
            if self._hours.hour is None or hour > self._hours.hour:
                self._hours.pass_to(hour)
            yield from self._judged(seen, mine, hour)
            # What comes late, of an hour that is over, changes no norm any more.
            if hour == self._hours.hour:
                self._hours.count(mine)
        if self._hours.hour is None or hour_of(seen.now) > self._hours.hour:
            self._hours.pass_to(hour_of(seen.now))

    def _rows(self, seen: Seen) -> pl.DataFrame:
        """The events that fit, with their group as ``_key``."""
        kinds = [kind for kind in self._own.events if kind != UNRECOGNISED]
        frames = [seen.events(kinds, self._asked)] if kinds else []
        if UNRECOGNISED in self._own.events:
            frames.append(_unknown(seen, self._asked))
        frames = [frame for frame in frames if len(frame)]
        if not frames:
            return NOTHING
        rows = pl.concat(frames, how="diagonal_relaxed")
        self.met += len(rows)
        if self._own.programs:
            rows = rows.filter(pl.col("program").is_in(list(self._own.programs)))
        if self._own.services:
            rows = rows.filter(pl.col("service").is_in(list(self._own.services)))
        rows = with_derived(rows, self._columns).filter(self._where)
        group = [pl.col(name).cast(pl.String) for name in self._own.group_by]
        # Null where any part is: an event without its group belongs to none.
        key = pl.concat_str(group, separator=NUL) if group else pl.lit("")
        rows = rows.with_columns(key.alias(KEY)).filter(pl.col(KEY).is_not_null())
        return rows.sort("time", "order", maintain_order=True)

    def _least(self) -> float:
        """What a measure must reach whatever is usual."""
        return max(self._own.at_least or 0.0, (self._own.times_usual or 0.0) * LEAST_USUAL)

    def _reached(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Groups and buckets in which ``value`` reaches the limit."""
        least, minutes = self._least(), self._own.window_s / 60
        match self._own.measure:
            case "share":
                found = self._window.add(rows, {"all": float(self._own.least_events)})
                if not len(found):
                    return found
                share = 100 * pl.col("part") / pl.col("all")
                return found.with_columns(share.alias("value")).filter(pl.col("value") >= least)
            case "rate":
                found = self._window.add(rows, {"value": least * minutes})
                return found.with_columns(pl.col("value") / minutes) if len(found) else found
        return self._window.add(rows, {"value": least})

    def _judged(self, seen: Seen, rows: pl.DataFrame, hour: datetime | None) -> Iterator[Signal]:
        if not len(rows):
            return
        found = self._reached(rows)
        usual: dict[str, float] = {}
        if hour is not None and len(found):
            found, usual = self._unusual(found, hour)
        for row in told(found, (KEY,), "value", self.about.quiet_s).iter_rows(named=True):
            mine = rows.filter(pl.col(KEY) == row[KEY])
            yield self._signal(seen, row[KEY], row, mine, usual.get(row[KEY]))

    def _unusual(self, found: pl.DataFrame, hour: datetime) -> tuple[pl.DataFrame, dict[str, float]]:
        """What is far more than usual, where enough is known of that."""
        assert self._hours is not None
        assert self._own.times_usual is not None
        if self._hours.known < self._own.history_hours:
            return found.clear(), {}
        largest = found.group_by(KEY).agg(pl.col("value").max()).sort("value", descending=True)
        usual = {key: self._hours.norm(key, hour).median for key in largest[KEY].head(MOST_JUDGED)}
        limits = pl.DataFrame(
            {KEY: list(usual), "_usual": list(usual.values())}, schema={KEY: pl.String, "_usual": pl.Float64}
        )
        limit = self._own.times_usual * pl.max_horizontal("_usual", pl.lit(LEAST_USUAL))
        joined = found.join(limits, on=KEY, maintain_order="left").filter(pl.col("value") >= limit)
        return joined.drop("_usual"), usual

    def _signal(
        self, seen: Seen, key: str, row: dict[str, object], mine: pl.DataFrame, usual: float | None
    ) -> Signal:
        own = self._own
        group = dict(zip(own.group_by, key.split(NUL), strict=True)) if own.group_by else {}
        value = _short(row["value"])
        figures: dict[str, Figure] = {
            "value": value, "at_least": _short(self._least()), "window_s": own.window_s
        }  # fmt: skip
        if usual is not None:
            assert self._hours is not None
            figures |= {"usual": _short(usual), "history_hours": self._hours.known}
        if own.measure == "share":
            figures["events"] = _short(row["all"])
            mine = mine.filter(self._part.expr)
        since, last = row[SINCE], row[LAST]
        assert isinstance(since, datetime)
        assert isinstance(last, datetime)
        return Signal(
            subject=group, time=last, since=since, severity=own.level,
            title=Phrase(
                own.title, **group, value=value, minutes=_short(own.window_s / 60),
                limit=_short(self._least()), usual=_short(usual or 0.0),
            ),
            figures=figures,
            lines=seen.evidence(mine, own.evidence_lines) if own.evidence_lines else (),
        )  # fmt: skip

    def state(self) -> Frames:
        """What it remembers, under the mark of what it looks for: a changed file begins anew."""
        kept = {**self._window.state(), **(self._hours.state() if self._hours is not None else {})}
        return {f"{self._mark}.{name}": frame for name, frame in kept.items()}

    def resume(self, state: Frames) -> None:
        """Remember that."""
        begin = f"{self._mark}."
        mine = {name.removeprefix(begin): frame for name, frame in state.items() if name.startswith(begin)}
        self._window.resume(mine)
        if self._hours is not None:
            self._hours.resume(mine)


def _unknown(seen: Seen, columns: tuple[str, ...]) -> pl.DataFrame:
    """Lines that no pattern knows: their core columns and text; they have no fields."""
    frames = []
    for events in seen.batch:
        rows = events.unrecognised
        order = rows if events.order is None else take(events.order, rows)
        frames.append(
            pl.DataFrame(
                [
                    take(events.time, rows).alias("time"),
                    order.cast(pl.UInt32).alias("order"),
                    events.hosts(rows).alias("host"),
                    *(events.tagged(name, rows).alias(name) for name in CORE[2:]),
                    take(events.text, rows).alias("text"),
                ]
            )
        )
    if not frames:
        return pl.DataFrame()
    found = pl.concat(frames).filter(pl.col("time").is_not_null())
    return found.with_columns(
        pl.lit(UNRECOGNISED).alias("event"),
        *(pl.lit(None).alias(name) for name in (*columns, "queue_id") if name not in found.columns),
    )


def _mark_of(definition: Definition) -> str:
    """The same for as long as what is counted is the same, whatever the limits and texts."""
    counted = {
        "events", "programs", "services", "where", "group_by", "measure", "field", "part", "window_s"
    }  # fmt: skip
    told = definition.own.model_dump_json(include=counted)
    return sha256(told.encode()).hexdigest()[:12]


def _short(value: object) -> float | int:
    """A number as people read it."""
    assert isinstance(value, int | float)
    rounded = round(value, 1)
    return int(rounded) if rounded == int(rounded) else rounded
