"""Which share of a key's cases is usually bad: by the hours of some weeks, the days' median.

Days, as one bad day must not become the norm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import sqrt
from statistics import median
from typing import Final

import polars as pl

from mailscope.vocabulary.columns import own
from mailscope.watch.pulses import PULSE
from mailscope.watch.window import TIME

WEEKS: Final = 4
# Hours of keys that are kept; beyond them those with the fewest cases are let go.
MOST_ROWS: Final = 300_000
MOST_NEW: Final = 64
# Cases that a day, and days that a median must have; where there are fewer days all are taken together.
FEWEST_CASES, FEWEST_DAYS = 5, 5
SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "key": pl.String,
    "hour": TIME,
    "n": pl.Float64,
    "bad": pl.Float64,
}


@dataclass(frozen=True, slots=True)
class Share:
    """What share is usual; the cases and days that it rests on."""

    share: float
    cases: int
    days: int


@dataclass
class Shares:
    """Cases, and bad ones among them, by key and hour."""

    rows: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SCHEMA))
    _new: list[pl.DataFrame] = field(default_factory=list)

    def add(self, pulses: pl.DataFrame, key: str, n: str, bad: str) -> None:
        """Enter what came in pulses that are over (columns by name; ``_pulse`` is their end)."""
        if not len(pulses):
            return
        hour = (pl.col(PULSE) - timedelta(seconds=1)).dt.truncate("1h").alias("hour")
        counted = pulses.group_by(pl.col(key).alias("key"), hour).agg(
            pl.col(n).sum().alias("n"), pl.col(bad).sum().alias("bad")
        )
        self._new.append(own(counted.filter(pl.col("key").is_not_null(), pl.col("n") > 0).select(*SCHEMA)))
        if len(self._new) > MOST_NEW:
            self._fold()

    def usual(self, key: str, at: datetime, hours: int | None = None) -> Share:
        """What was usual before the day that ends at an instant; ``hours``: only so near to its time."""
        self._fold()
        mine = self.rows.filter(
            pl.col("key") == key,
            pl.col("hour") < at - timedelta(days=1),
            pl.col("hour") >= at - timedelta(weeks=WEEKS),
        )
        if hours is not None:
            apart = (pl.col("hour").dt.hour().cast(pl.Int64) - at.hour).abs()
            mine = mine.filter(pl.min_horizontal(apart, 24 - apart) <= hours)
        days = mine.group_by(pl.col("hour").dt.date()).agg(pl.col("n").sum(), pl.col("bad").sum())
        cases = float(days["n"].sum())
        if not cases:
            return Share(0.0, 0, 0)
        full = days.filter(pl.col("n") >= FEWEST_CASES)
        told = [bad / n for n, bad in full.select("n", "bad").iter_rows()]
        share = median(told) if len(told) >= FEWEST_DAYS else float(days["bad"].sum()) / cases
        return Share(share, round(cases), len(days))

    def _fold(self) -> None:
        if not self._new:
            return
        together = pl.concat([self.rows, *self._new])
        self._new = []
        rows = together.group_by("key", "hour").agg(pl.col("n").sum(), pl.col("bad").sum())
        newest = rows["hour"].max()
        assert isinstance(newest, datetime)
        rows = rows.filter(pl.col("hour") >= newest - timedelta(weeks=WEEKS))
        if len(rows) > MOST_ROWS:
            rows = rows.sort("n", "hour", "key", descending=True).head(MOST_ROWS)
        self.rows = rows.select(*SCHEMA)

    def state(self, prefix: str = "shares") -> dict[str, pl.DataFrame]:
        """What is kept, by name."""
        self._fold()
        return {f"{prefix}.rows": self.rows}

    def resume(self, state: Mapping[str, pl.DataFrame], prefix: str = "shares") -> None:
        """Go on with what was kept."""
        rows = state.get(f"{prefix}.rows")
        if rows is not None and rows.schema == pl.Schema(SCHEMA):
            self.rows = rows


def certain(bad: float, cases: float, usual: float) -> float:
    """How many standard deviations so many bad cases lie above what the usual share makes expect."""
    share = min(max(usual, 0.005), 0.995)
    return (bad - cases * share) / sqrt(max(cases * share * (1 - share), 1e-9))
