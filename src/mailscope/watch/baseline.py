"""What is normal: the median of what was at such an hour of the week, and how far it strays from that.

Robust, as one wild hour must not become the norm: the median and the median absolute deviation (MAD), over
some weeks.  Source: Rousseeuw and Croux, "Alternatives to the Median Absolute Deviation", 1993.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Final

import polars as pl

from mailscope.vocabulary.columns import own

WEEKS: Final = 8
HOUR: Final = timedelta(hours=1)
# Makes the MAD of normally spread values their standard deviation.
CONSISTENT: Final = 1.4826
# Values that a norm must rest on; where an hour of the week has fewer, all such hours of the day are taken.
FEWEST: Final = 3
# Keys are let go beyond so many rows, those heard of least lately first.
MOST_ROWS: Final = 500_000
SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "key": pl.String,
    "hour": pl.Datetime("us"),
    "value": pl.Float64,
}


@dataclass(frozen=True, slots=True)
class Norm:
    """What is normal at an hour.  ``values``: how many hours it rests on; ``basis``: which."""

    median: float
    spread: float
    values: int
    basis: str


@dataclass
class Baseline:
    """Values by key and hour (naive UTC).  An hour that was watched and has no value of a key counts as 0."""

    rows: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SCHEMA))
    watched: list[datetime] = field(default_factory=list)

    def add(self, hour: datetime, values: Mapping[str, float]) -> None:
        """Enter an hour that is over."""
        new = pl.DataFrame(
            {"key": list(values), "hour": [hour] * len(values), "value": list(values.values())}, schema=SCHEMA
        )
        self.extend([hour], new)

    def extend(self, hours: Sequence[datetime], rows: pl.DataFrame) -> None:
        """Enter several hours that are over, in order, with their rows (``SCHEMA``)."""
        hours = [hour for hour in hours if not self.watched or hour > self.watched[-1]]
        if not hours:
            return
        self.watched.extend(hours)
        new = rows.filter(pl.col("hour").is_in(hours))
        if len(new):
            self.rows = pl.concat([self.rows, own(new)])
        horizon = hours[-1] - timedelta(weeks=WEEKS)
        if self.watched[0] < horizon:
            self.watched = [each for each in self.watched if each >= horizon]
            self.rows = self.rows.filter(pl.col("hour") >= horizon)
        if len(self.rows) > MOST_ROWS:
            last = pl.col("hour").max().over("key")
            self.rows = self.rows.sort(last, "hour", descending=True).head(MOST_ROWS).sort("hour")

    def norm(self, key: str, hour: datetime) -> Norm:
        """What is normal for a key at an hour: of the same hours of other weeks, or of a wider choice."""
        mine = self.rows.filter(pl.col("key") == key)
        held = dict(zip(mine["hour"].to_list(), mine["value"].to_list(), strict=True))
        weekend = hour.weekday() >= 5
        choices = (
            ("the same hour of the week", lambda at: (at.weekday(), at.hour) == (hour.weekday(), hour.hour)),
            (
                "the same hour of such days",
                lambda at: at.hour == hour.hour and (at.weekday() >= 5) == weekend,
            ),
            ("all hours", lambda at: True),
        )
        for basis, fits in choices:
            found = [held.get(at, 0.0) for at in self.watched if at < hour and fits(at)]
            if len(found) >= FEWEST or (found and basis == choices[-1][0]):
                middle = median(found)
                spread = CONSISTENT * median(abs(value - middle) for value in found)
                return Norm(middle, spread, len(found), basis)
        return Norm(0.0, 0.0, 0, "nothing")

    @property
    def hours(self) -> int:
        """How many hours of history there are."""
        return len(self.watched)

    def state(self, prefix: str = "baseline") -> dict[str, pl.DataFrame]:
        """What is kept, by name."""
        watched = pl.DataFrame({"hour": self.watched}, schema={"hour": pl.Datetime("us")})
        return {f"{prefix}.rows": self.rows, f"{prefix}.watched": watched}

    def resume(self, state: Mapping[str, pl.DataFrame], prefix: str = "baseline") -> None:
        """Go on with what was kept."""
        rows, watched = state.get(f"{prefix}.rows"), state.get(f"{prefix}.watched")
        if rows is not None and watched is not None and rows.schema == SCHEMA:
            self.rows, self.watched = rows, watched["hour"].to_list()
