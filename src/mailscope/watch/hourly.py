"""How much of something is usual for a key in an hour, and how much is far above it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import sqrt
from typing import Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.columns import own
from mailscope.watch.baseline import Baseline
from mailscope.watch.seen import Seen

HOUR: Final = timedelta(hours=1)
TIME: Final = pl.Datetime("us")
# Lines may come so late: an hour is counted when it has been over for so long.
GRACE: Final = timedelta(seconds=15)
# A value is far above the norm if it lies so many spreads above it ...
SPREADS: Final = 8.0
# ... and so far above the busiest hour there was: a norm that is mostly nothing knows no newsletter.
ABOVE_BUSIEST: Final = 1.5
# Before there is a week, what is usual at an hour of the week is not known, but after three days (in which a
# working day is at least) what a busy hour has: so many ``times`` that is too much at any hour.
FIRST_H: Final = 72
# What was far too much is remembered as so much of the limit that it passed: the limit rises by a tenth.
LEARNED: Final = 1.1 / ABOVE_BUSIEST
COUNTS: Final[dict[str, pl.DataType | type[pl.DataType]]] = {"key": pl.String, "hour": TIME, "n": pl.Float64}


@dataclass(frozen=True, slots=True)
class Limit:
    """From which value on it is far above what is usual.

    ``median``: of such hours; ``hours`` of history it rests on: 0 if there is too little, so that
    the fixed limit counts.
    """

    value: float
    median: float = 0.0
    hours: int = 0

    @property
    def reasons(self) -> tuple[Phrase, ...]:
        """What it rests on, in words."""
        if not self.hours:
            return (Phrase("there is too little history to know what is usual"),)
        return (
            Phrase(
                "usual at this hour: {median}; {hours} hours of history",
                median=round(self.median),
                hours=self.hours,
            ),
        )


@dataclass
class Hourly:
    """Sums by key and hour.

    ``least``: smaller sums are remembered as nothing; ``floor``: what is less is never too much; ``gross``:
    what is too much before anything is known; ``times`` the median is too much, or the busiest hour while
    there are not ``history_h`` hours.
    """

    least: float
    floor: float
    gross: float
    times: float
    history_h: int
    baseline: Baseline = field(default_factory=Baseline)
    _open: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=COUNTS))
    _hours: list[datetime] = field(default_factory=list)
    _limits: dict[tuple[str, datetime], Limit] = field(default_factory=dict)
    # As of the newest hour that was entered: how many there are stays the same once the oldest go.
    _busiest: tuple[datetime | None, dict[str, list[tuple[datetime, float]]]] = (None, {})

    def add(self, seen: Seen, rows: pl.DataFrame) -> None:
        """Count rows (``time``, ``key``, ``n``) and end the hours that are over."""
        new = hours_of(seen)
        last = self.baseline.watched[-1] if self.baseline.watched else datetime.min
        for hour in new:
            if hour > last and hour not in self._hours:
                self._hours.append(hour)
        if len(rows):
            counted = rows.group_by("key", pl.col("time").dt.truncate("1h").alias("hour")).agg(
                pl.col("n").sum().cast(pl.Float64)
            )
            together = pl.concat([self._open, own(counted.select(*COUNTS))])
            self._open = together.group_by("key", "hour").agg(pl.col("n").sum())
        self._end(seen.now)

    def limit(self, key: str, at: datetime) -> Limit:
        """From which value on an hour that ends at an instant has far too much of a key.

        The hour before is left out of what it rests on: how a log is cut into batches must not matter.
        """
        hour = at.replace(minute=0, second=0, microsecond=0)
        found = self._limits.get((key, hour))
        if found is None:
            found = self._limits[key, hour] = self._limit(key, hour)
        return found

    def _limit(self, key: str, hour: datetime) -> Limit:
        known = sum(1 for each in self.baseline.watched if each < hour - HOUR)
        if known < min(FIRST_H, self.history_h):
            return Limit(self.gross)
        busiest = max((value for at, value in self._of(key) if at < hour - HOUR), default=0.0)
        if known < self.history_h:
            return Limit(min(self.gross, max(self.floor, self.times * busiest)))
        norms = [self.baseline.norm(key, each) for each in (hour - HOUR, hour)]
        median = max(norm.median for norm in norms)
        spread = max(max(norm.spread for norm in norms), sqrt(median), median / 10)
        value = max(self.floor, self.times * median, median + SPREADS * spread, ABOVE_BUSIEST * busiest)
        return Limit(value, median, known)

    def _of(self, key: str) -> list[tuple[datetime, float]]:
        """The values of a key by hour."""
        newest = self.baseline.watched[-1] if self.baseline.watched else None
        if self._busiest[0] != newest:
            self._busiest = (newest, {})
        held = self._busiest[1]
        if key not in held:
            mine = self.baseline.rows.filter(pl.col("key") == key)
            held[key] = list(zip(mine["hour"].to_list(), mine["value"].to_list(), strict=True))
        return held[key]

    def _end(self, now: datetime) -> None:
        """Enter the hours that are over.  What was far too much counts as little more than what would
        have been usual, so that it becomes no norm.
        """
        over = sorted(hour for hour in self._hours if hour + HOUR + GRACE <= now)
        if not over:
            return
        sums = self._open.filter(pl.col("hour") <= over[-1], pl.col("n") >= self.least)
        sums = sums.rename({"n": "value"}).sort("hour", "key")
        large = set(sums.filter(pl.col("value") >= self.floor)["hour"].to_list())
        entered = 0
        for place, hour in enumerate(over):
            if hour not in large:
                continue
            # What is too much in this hour hangs on those before.
            self.baseline.extend(over[entered:place], sums)
            entered = place + 1
            values = dict(sums.filter(pl.col("hour") == hour).select("key", "value").iter_rows())
            # So that what is told of again and again for nothing slowly becomes usual.
            limited = {
                key: min(value, LEARNED * self.limit(key, hour).value)
                for key, value in values.items()
                if value >= self.floor
            }
            self.baseline.add(hour, values | limited)
        self.baseline.extend(over[entered:], sums)
        self._limits.clear()
        self._hours = [hour for hour in self._hours if hour > over[-1]]
        self._open = self._open.filter(pl.col("hour") > over[-1])

    def state(self, prefix: str = "usual") -> dict[str, pl.DataFrame]:
        """What is kept, by name."""
        hours = pl.DataFrame({"hour": self._hours}, schema={"hour": TIME})
        return self.baseline.state(prefix) | {f"{prefix}.open": self._open, f"{prefix}.hours": hours}

    def resume(self, state: Mapping[str, pl.DataFrame], prefix: str = "usual") -> None:
        """Go on with what was kept."""
        self.baseline.resume(state, prefix)
        opened, hours = state.get(f"{prefix}.open"), state.get(f"{prefix}.hours")
        if opened is not None and hours is not None and opened.schema == pl.Schema(COUNTS):
            self._open, self._hours = opened, hours["hour"].to_list()


def hours_of(seen: Seen) -> list[datetime]:
    """The hours that a batch has lines of; an hour without any line was not watched."""

    def made() -> pl.DataFrame:
        times = [events.instants.dt.truncate("1h").unique() for events in seen.batch]
        if not times:
            return pl.DataFrame(schema={"hour": TIME})
        return pl.DataFrame({"hour": pl.concat(times).unique().drop_nulls().sort()})

    return seen.derived("hourly.hours", made)["hour"].to_list()
