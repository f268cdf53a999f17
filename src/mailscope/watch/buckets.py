"""Rows counted by key and bucket of time: the frames that a sliding window is made of.

All counts and sums of a window are one frame, the values of each distinct count are another.  Such a frame
has the keys, ``_bucket``, a column for each measure (or ``_value``), and ``_since`` and ``_last``: the first
and the last row.  A key may stand in several rows of a bucket, until they are made one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol

import polars as pl

# Distinct values that are told apart in one bucket of one key; what is more counts as so many.
MOST_DISTINCT: Final = 1_000
# Rows that are kept of each frame; beyond them the rarest keys are let go.
MOST_ROWS: Final = 100_000
# Values that measures must reach, by name: all of one choice.
Limits = Sequence[Mapping[str, float]]
BUCKET, SINCE, LAST, VALUE = "_bucket", "_since", "_last", "_value"
SPAN: Final = (pl.col(SINCE).min(), pl.col(LAST).max())
SPAN_OF_ROWS: Final = (pl.col("time").min().alias(SINCE), pl.col("time").max().alias(LAST))


@dataclass(frozen=True)
class Measure:
    """What is counted: rows, distinct values of a column, or its sum; of the rows that fit ``where``."""

    name: str
    kind: Literal["count", "distinct", "sum"] = "count"
    column: str | None = None
    where: pl.Expr | None = None

    @property
    def columns(self) -> frozenset[str]:
        """The columns that it looks at."""
        names = set() if self.where is None else set(self.where.meta.root_names())
        return frozenset(names | ({self.column} if self.column is not None else set()))

    @property
    def sum(self) -> pl.Expr:
        """What rows come to, of a count or a sum."""
        if self.kind == "count":
            return pl.len() if self.where is None else self.where.sum()
        return self._column.sum()

    @property
    def most(self) -> pl.Expr:
        """What some rows add to it at most."""
        match self.kind:
            case "count":
                return self.sum
            case "sum":
                return self._column.clip(lower_bound=0).sum()
            case "distinct":
                return self._column.n_unique()

    @property
    def _column(self) -> pl.Expr:
        column = pl.col(self.column or "")
        return column if self.where is None else column.filter(self.where)


class Part(Protocol):
    """How some measures of a window are kept."""

    @property
    def name(self) -> str:
        """What its frame is kept as."""

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What it counts."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of its frame."""

    @property
    def totals(self) -> list[pl.Expr]:
        """What the measures come to, of rows of its frame."""

    def counted(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows with ``time``, ``_bucket`` and the keys, counted."""

    def merged(self, rows: pl.DataFrame) -> pl.DataFrame:
        """One row of what is the same."""


@dataclass(frozen=True)
class Sums:
    """Counts and sums."""

    keys: tuple[str, ...]
    measures: tuple[Measure, ...]
    name: str = "sums"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of its frame."""
        return (*self.keys, BUCKET, *(measure.name for measure in self.measures), SINCE, LAST)

    @property
    def totals(self) -> list[pl.Expr]:
        """What the measures come to, of rows of its frame."""
        return [pl.col(measure.name).sum() for measure in self.measures]

    def counted(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows with ``time``, ``_bucket`` and the keys, counted."""
        if all(measure.where is not None for measure in self.measures):
            rows = rows.filter(pl.any_horizontal(measure.where for measure in self.measures))
        sums = [measure.sum.cast(pl.Float64).alias(measure.name) for measure in self.measures]
        return rows.group_by(*self.keys, BUCKET).agg(*sums, *SPAN_OF_ROWS)

    def merged(self, rows: pl.DataFrame) -> pl.DataFrame:
        """One row of each key and bucket."""
        return rows.group_by(*self.keys, BUCKET).agg(*self.totals, *SPAN)


@dataclass(frozen=True)
class Values:
    """The values of one distinct count."""

    keys: tuple[str, ...]
    measure: Measure

    @property
    def name(self) -> str:
        """What its frame is kept as."""
        return self.measure.name

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What it counts."""
        return (self.measure,)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of its frame."""
        return (*self.keys, BUCKET, VALUE, SINCE, LAST)

    @property
    def totals(self) -> list[pl.Expr]:
        """What the measure comes to, of rows of its frame."""
        return [pl.col(VALUE).n_unique().cast(pl.Float64).alias(self.measure.name)]

    def counted(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows with ``time``, ``_bucket`` and the keys, counted."""
        column = pl.col(self.measure.column or "")
        wanted = column.is_not_null()
        rows = rows.filter(wanted if self.measure.where is None else wanted & self.measure.where)
        value = column.cast(pl.String).alias(VALUE)
        return self._first(rows.group_by(*self.keys, BUCKET, value).agg(*SPAN_OF_ROWS))

    def merged(self, rows: pl.DataFrame) -> pl.DataFrame:
        """One row of each key, bucket and value."""
        return self._first(rows.group_by(*self.keys, BUCKET, VALUE).agg(*SPAN))

    def _first(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The values that came first, no more than ``MOST_DISTINCT`` of a key and bucket."""
        if len(rows) <= MOST_DISTINCT:
            return rows
        by = [*self.keys, BUCKET]
        first = rows.sort(SINCE).group_by(by, maintain_order=True).head(MOST_DISTINCT)
        return first.select(self.columns)


def parts(keys: tuple[str, ...], measures: Iterable[Measure]) -> tuple[Part, ...]:
    """How some measures are kept."""
    measures = tuple(measures)
    sums = tuple(measure for measure in measures if measure.kind != "distinct")
    values = [Values(keys, measure) for measure in measures if measure.kind == "distinct"]
    return (*([Sums(keys, sums)] if sums else []), *values)


def trimmed(part: Part, keys: Sequence[str], rows: pl.DataFrame, horizon: datetime) -> pl.DataFrame:
    """Made one, without the buckets up to an instant, and without the rarest keys where there are too many
    rows.
    """
    rows = part.merged(rows.filter(pl.col(BUCKET) > horizon))
    if len(rows) > MOST_ROWS:
        often = rows.with_columns(pl.len().over(keys).alias("_rows"))
        rows = often.sort("_rows", LAST, descending=True).head(MOST_ROWS).drop("_rows")
    return rows.rechunk()
