"""Counts over a sliding window of the log's time, by some columns.

Rows are counted by bucket (a small part of the window) as they come, so that what is kept does not depend on
how many come: an attack of thousands of lines a second costs as much as one of a few.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

import polars as pl

from mailscope.vocabulary.columns import own

# Distinct values that are told apart in one bucket of one key; what is more counts as so many.
MOST_DISTINCT: Final = 1_000
# Rows that are kept of each measure; beyond them the rarest keys are let go.
MOST_ROWS: Final = 100_000
BUCKETS: Final = 20
TIME: Final = pl.Datetime("us")
BUCKET, SINCE, LAST = "_bucket", "_since", "_last"


@dataclass(frozen=True)
class Measure:
    """What is counted: rows, distinct values of a column, or its sum; of the rows that fit ``where``."""

    name: str
    kind: Literal["count", "distinct", "sum"] = "count"
    column: str | None = None
    where: pl.Expr | None = None


@dataclass
class Window:
    """A window of ``length_s`` seconds over rows with ``time`` (naive UTC, not null) and the ``keys``."""

    keys: tuple[str, ...]
    measures: tuple[Measure, ...]
    length_s: int
    bucket_s: int = 0
    _kept: dict[str, pl.DataFrame] = field(default_factory=dict)
    _newest: datetime | None = None

    def __post_init__(self) -> None:
        self.bucket_s = self.bucket_s or max(1, self.length_s // BUCKETS)

    def add(self, rows: pl.DataFrame, *least: Mapping[str, float]) -> pl.DataFrame:
        """Count rows, and tell where the measures reach a limit with them: all limits of one ``least`` (none:
        only count).

        Out: a row per key and bucket that rows came to: the keys, the measures of the window that ends with
        the bucket, ``_since`` (its first row in the window) and ``_last`` (its last row so far), by time.
        """
        if not len(rows):
            return pl.DataFrame()
        rows = rows.filter(pl.all_horizontal(pl.col(key).is_not_null() for key in self.keys))
        # What this batch adds is let go with the next one: until then its values may be asked for.
        self._trim()
        if not len(rows):
            return pl.DataFrame()
        rows = rows.with_columns(pl.col("time").dt.truncate(f"{self.bucket_s}s").alias(BUCKET))
        earliest, newest = rows[BUCKET].min(), rows[BUCKET].max()
        assert isinstance(earliest, datetime)
        assert isinstance(newest, datetime)
        for measure in self.measures:
            self._count(measure, rows, earliest)
        self._newest = newest if self._newest is None else max(newest, self._newest)
        return self._reached(rows.select(self.keys).unique(), earliest, least) if least else pl.DataFrame()

    def values(self, name: str, keys: Mapping[str, str], bucket: datetime) -> list[str]:
        """The distinct values that a measure counted of a key, in the window that ends with a bucket; those
        that came first stand first.
        """
        rows = self._kept[name].filter(
            pl.col(BUCKET) <= bucket,
            pl.col(BUCKET) > bucket - timedelta(seconds=self.length_s),
            *(pl.col(key) == value for key, value in keys.items()),
        )
        first = rows.group_by("_value").agg(pl.col(SINCE).min()).sort(SINCE, "_value")
        return [str(value) for value in first["_value"]]

    def on(self, name: str, keys: Mapping[str, str], bucket: datetime) -> list[str]:
        """The distinct values that a measure counted of a key in one bucket."""
        rows = self._kept[name].filter(
            pl.col(BUCKET) == bucket, *(pl.col(key) == value for key, value in keys.items())
        )
        return [str(value) for value in rows["_value"]]

    def until(self, name: str, keys: Mapping[str, str], instant: datetime) -> float:
        """A count or sum of a key, of what is kept of it from before the bucket of an instant on."""
        rows = self._kept[name].filter(
            pl.col(BUCKET) <= instant, *(pl.col(key) == value for key, value in keys.items())
        )
        return float(rows["_n"].sum())

    def state(self, prefix: str = "window") -> dict[str, pl.DataFrame]:
        """What is kept, by name."""
        self._trim()
        return {f"{prefix}.{name}": frame for name, frame in self._kept.items()}

    def resume(self, state: Mapping[str, pl.DataFrame], prefix: str = "window") -> None:
        """Go on with what was kept; what another version kept otherwise is left out."""
        for measure in self.measures:
            frame = state.get(f"{prefix}.{measure.name}")
            if frame is not None and set(frame.columns) == set(self._columns(measure)):
                self._kept[measure.name] = frame

    def _columns(self, measure: Measure) -> tuple[str, ...]:
        value = ("_value",) if measure.kind == "distinct" else ("_n",)
        return (*self.keys, BUCKET, *value, SINCE, LAST)

    def _count(self, measure: Measure, rows: pl.DataFrame, earliest: datetime) -> None:
        if measure.where is not None:
            rows = rows.filter(measure.where)
        by: list[str | pl.Expr] = [*self.keys, BUCKET]
        span = (pl.col("time").min().alias(SINCE), pl.col("time").max().alias(LAST))
        if measure.kind == "distinct":
            assert measure.column is not None
            new = rows.filter(pl.col(measure.column).is_not_null())
            new = new.group_by([*by, pl.col(measure.column).cast(pl.String).alias("_value")]).agg(*span)
            new = new.sort(SINCE).group_by(by, maintain_order=True).head(MOST_DISTINCT)
        else:
            total = pl.len() if measure.kind == "count" else pl.col(measure.column or "").sum()
            new = rows.group_by(by).agg(total.cast(pl.Float64).alias("_n"), *span)
        new = own(new.select(self._columns(measure)))
        before = self._kept.get(measure.name)
        if before is not None:
            # Nothing was added to the buckets before the batch's first.
            still_open = before.filter(pl.col(BUCKET) >= earliest)
            if len(still_open):
                new = self._merged(measure, pl.concat([still_open, new]))
            new = pl.concat([before.filter(pl.col(BUCKET) < earliest), new])
        self._kept[measure.name] = new

    def _merged(self, measure: Measure, rows: pl.DataFrame) -> pl.DataFrame:
        span = (pl.col(SINCE).min(), pl.col(LAST).max())
        if measure.kind == "distinct":
            merged = rows.group_by([*self.keys, BUCKET, "_value"]).agg(*span)
            # Several batches fall into one bucket.
            merged = (
                merged.sort(SINCE).group_by([*self.keys, BUCKET], maintain_order=True).head(MOST_DISTINCT)
            )
        else:
            merged = rows.group_by([*self.keys, BUCKET]).agg(pl.col("_n").sum(), *span)
        return merged.select(self._columns(measure))

    def _reached(
        self, touched: pl.DataFrame, earliest: datetime, least: Sequence[Mapping[str, float]]
    ) -> pl.DataFrame:
        """The buckets from one on in which the limits are reached, of the keys that rows came to."""
        candidates = self._candidates(touched, least)
        if not len(candidates):
            return pl.DataFrame()
        found: pl.DataFrame | None = None
        for measure in self.measures:
            totals = self._rolled(measure, candidates)
            if found is None:
                found = totals
                continue
            found = found.join(totals, on=[*self.keys, BUCKET], how="full", coalesce=True).with_columns(
                pl.min_horizontal(SINCE, f"{SINCE}_right").alias(SINCE),
                pl.max_horizontal(LAST, f"{LAST}_right").alias(LAST),
            )
            found = found.drop(f"{SINCE}_right", f"{LAST}_right")
        assert found is not None
        # A measure that had no row in a bucket is what it was in the bucket before.
        names = [measure.name for measure in self.measures]
        found = found.sort(BUCKET).with_columns(pl.col(names).forward_fill().over(self.keys).fill_null(0.0))
        reached = pl.any_horizontal(
            pl.all_horizontal(pl.col(name) >= value for name, value in each.items()) for each in least
        )
        found = found.filter(pl.col(BUCKET) >= earliest, reached)
        return found.sort(LAST, maintain_order=True)

    def _candidates(self, touched: pl.DataFrame, least: Sequence[Mapping[str, float]]) -> pl.DataFrame:
        """Of some keys those that may reach the limits: whose rows, whatever their bucket, do so together."""
        measures = {measure.name: measure for measure in self.measures}
        names = {name for each in least for name in each}
        totals = {
            name: self._kept[name]
            .join(touched, on=self.keys, how="semi")
            .group_by(self.keys)
            .agg(_value(measures[name]).alias("_total"))
            for name in sorted(names)
        }
        choices = []
        for each in least:
            found: pl.DataFrame | None = None
            for name, value in each.items():
                reach = totals[name].filter(pl.col("_total") >= value).select(self.keys)
                found = reach if found is None else found.join(reach, on=self.keys)
            assert found is not None
            choices.append(found)
        return pl.concat(choices).unique() if len(choices) > 1 else choices[0]

    def _rolled(self, measure: Measure, keys: pl.DataFrame) -> pl.DataFrame:
        """A measure over the window that ends with each bucket that has rows."""
        rows = self._kept[measure.name].join(keys, on=self.keys, how="semi")
        rolled = (
            rows.sort(BUCKET)
            .rolling(BUCKET, period=f"{self.length_s}s", closed="right", group_by=self.keys)
            .agg(_value(measure).alias(measure.name), pl.col(SINCE).min(), pl.col(LAST).max())
        )
        return rolled.unique([*self.keys, BUCKET], keep="last", maintain_order=True)

    def _trim(self) -> None:
        """Let go what is too old, and what is too much."""
        if self._newest is None:
            return
        horizon, self._newest = self._newest - timedelta(seconds=self.length_s), None
        for measure in self.measures:
            rows = self._kept[measure.name].filter(pl.col(BUCKET) > horizon)
            if len(rows) > MOST_ROWS:
                counted = rows.with_columns(pl.len().over(self.keys).alias("_rows"))
                rows = counted.sort("_rows", LAST, descending=True).head(MOST_ROWS).drop("_rows")
            self._kept[measure.name] = rows


def _value(measure: Measure) -> pl.Expr:
    if measure.kind == "distinct":
        return pl.col("_value").n_unique().cast(pl.Float64)
    return pl.col("_n").sum()


def told(found: pl.DataFrame, keys: Sequence[str], by: str, quiet_s: int) -> pl.DataFrame:
    """Of the buckets in which a key reached its limits, those that tell of it: where that began, was most,
    and ended; again after each pause of ``quiet_s`` or more.
    """
    if not len(found):
        return found
    pause = pl.col(LAST).diff().over(keys) >= timedelta(seconds=quiet_s)
    runs = found.sort(LAST, maintain_order=True).with_columns(
        pause.fill_null(False).cum_sum().over(keys).alias("_run")
    )
    by_run = [*keys, "_run"]
    first, last = (runs.unique(by_run, keep=end, maintain_order=True) for end in ("first", "last"))
    peak = runs.sort(by).unique(by_run, keep="last", maintain_order=True)
    picked = pl.concat([first, peak, last]).unique([*by_run, BUCKET], maintain_order=True)
    return picked.sort(LAST, maintain_order=True).drop("_run")
