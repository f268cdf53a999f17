"""What was usual: the measure of each key in every hour that is over, held against the hour that is not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from mailscope.vocabulary.columns import own as owned
from mailscope.watch.baseline import WEEKS, Baseline, Norm
from mailscope.watch.own.model import Own

HOUR: Final = timedelta(hours=1)
# Keys and values of one hour that are told apart.
MOST_ROWS: Final = 100_000
SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "key": pl.String, "value": pl.String, "n": pl.Float64, "part": pl.Float64
}  # fmt: skip


def hour_of(instant: datetime) -> datetime:
    """The hour that an instant belongs to."""
    return instant.replace(minute=0, second=0, microsecond=0)


class Hours:
    """The measure by hour.  ``part``: which rows a share is of."""

    def __init__(self, own: Own, part: pl.Expr) -> None:
        self._own, self._part = own, part
        self._baseline = Baseline()
        self._rows = pl.DataFrame(schema=SCHEMA)
        self.hour: datetime | None = None

    @property
    def known(self) -> int:
        """Hours of history."""
        return self._baseline.hours

    def norm(self, key: str, hour: datetime) -> Norm:
        """What is usual."""
        return self._baseline.norm(key, hour)

    def pass_to(self, hour: datetime) -> None:
        """The hours before this one are over."""
        self.hour = max(self.hour or hour, hour - timedelta(weeks=WEEKS))
        while self.hour < hour:
            self._baseline.add(self.hour, self._values())
            self._rows = self._rows.clear()
            self.hour += HOUR

    def count(self, rows: pl.DataFrame) -> None:
        """Enter rows of the hour that is not over; they have ``_key``."""
        value = (
            pl.col(self._own.field or "").cast(pl.String) if self._own.measure == "distinct" else pl.lit("")
        )
        amount = pl.col(self._own.field or "").sum() if self._own.measure == "sum" else pl.len()
        new = rows.group_by(pl.col("_key").alias("key"), value.alias("value")).agg(
            amount.cast(pl.Float64).alias("n"), self._part.sum().cast(pl.Float64).alias("part")
        )
        if self._own.measure == "distinct":
            new = new.filter(pl.col("value").is_not_null())
        together = pl.concat([self._rows, owned(new.select(SCHEMA.keys()))])
        self._rows = together.group_by("key", "value").agg(pl.col("n", "part").sum()).head(MOST_ROWS)

    def _values(self) -> Mapping[str, float]:
        match self._own.measure:
            case "distinct":
                value = pl.len().cast(pl.Float64)
            case "rate":
                value = pl.col("n").sum() / 60
            case "share":
                value = 100 * pl.col("part").sum() / pl.col("n").sum()
            case _:
                value = pl.col("n").sum()
        found = self._rows.group_by("key").agg(value.alias("value"), pl.col("n").sum())
        if self._own.measure == "share":
            found = found.filter(pl.col("n") >= self._own.least_events)
        return dict(found.select("key", "value").iter_rows())

    def state(self) -> dict[str, pl.DataFrame]:
        """What is kept."""
        at = pl.DataFrame({"hour": [self.hour]}, schema={"hour": pl.Datetime("us")})
        return {**self._baseline.state(), "hour.rows": self._rows, "hour.at": at}

    def resume(self, state: Mapping[str, pl.DataFrame]) -> None:
        """Go on with what was kept."""
        rows, at = state.get("hour.rows"), state.get("hour.at")
        if rows is not None and at is not None and rows.schema == SCHEMA:
            self._baseline.resume(state)
            self._rows, self.hour = rows, at["hour"][0]
