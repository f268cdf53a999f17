"""What a tally is: a table, the keys that its rows are grouped by, and additive measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

Op = Literal["count", "sum", "max"]
SLOT_S: Final = 900
STAGES: Final = ("delay_s", "delay_before_queue_s", "delay_in_queue_s", "delay_connect_s", "delay_transmit_s")
# Delays and sizes fall into buckets that are 2 % wide, so that medians and percentiles can be read
# from counts that add up.
BUCKET_RATIO: Final = 1.02
SMALLEST: Final = 0.001


@dataclass(frozen=True, slots=True)
class Measure:
    """An additive figure: a count of rows, or the sum or maximum of a column.

    Sums of seconds are kept in whole microseconds: sums of floats would depend on the order in which
    they were made, and so on how the log was cut into chunks.
    """

    name: str
    op: Op = "count"
    column: str = ""

    def first(self) -> pl.Expr:
        """How rows of a table are aggregated."""
        if self.op == "count":
            return pl.len().cast(pl.Int64).alias(self.name)
        column = pl.col(self.column)
        if self.in_microseconds:
            column = (column * 1e6).round().cast(pl.Int64)
        return (column.sum() if self.op == "sum" else column.max()).alias(self.name)

    @property
    def in_microseconds(self) -> bool:
        """Whether the figure is kept as a whole number of microseconds."""
        return self.op == "sum" and self.column.endswith("_s")

    def shown(self) -> pl.Expr:
        """The figure in its own unit."""
        return (pl.col(self.name) / 1e6).alias(self.name) if self.in_microseconds else pl.col(self.name)

    def merge(self) -> pl.Expr:
        """How tallies are aggregated again."""
        return (pl.col(self.name).max() if self.op == "max" else pl.col(self.name).sum()).alias(self.name)


@dataclass(frozen=True, slots=True)
class Tally:
    """One declared count.

    ``keys`` are columns of the table or names of derived keys (``tallies/keys.py``); ``where`` names
    a condition there; ``cap`` bounds the rows kept: beyond it, the rarest are pooled.  ``of`` names the
    tally whose rows, day by day, this one is rolled up from (``tallies/days.py``).
    """

    name: str
    table: str
    keys: tuple[str, ...]
    measures: tuple[Measure, ...]
    meaning: str
    where: str = ""
    cap: int = 400_000
    of: str = ""


def bucket(column: str) -> pl.Expr:
    """Number of the logarithmic bucket of a non-negative figure; 0 holds everything below a ms."""
    value = pl.col(column)
    return (
        pl.when(value < SMALLEST)
        .then(0)
        .otherwise((value / SMALLEST).log(BUCKET_RATIO).floor() + 1)
        .cast(pl.Int32)
        .alias("bucket")
    )


def bucket_value(number: int) -> float:
    """The middle (geometric) of a bucket, in seconds."""
    return 0.0 if number <= 0 else SMALLEST * BUCKET_RATIO ** (number - 0.5)


def quantile(buckets: pl.DataFrame, share: float) -> float | None:
    """A quantile from a histogram: frame of ``bucket`` and ``count``; None for an empty one."""
    ordered = buckets.group_by("bucket").agg(pl.col("count").sum()).sort("bucket")
    total = int(ordered["count"].sum())
    if not total:
        return None
    reached = ordered.filter(pl.col("count").cum_sum() >= max(1, share * total))
    return bucket_value(int(reached["bucket"][0]))
