"""Days: which day the rows of a table belong to, and tallies that are rolled up from others day by day.

In: a tally's rows of one batch.  Out: the same rows added up to fewer keys, with their day.  A batch mostly
lies within one day, so that its day is found by looking at its first and last instant, and the roll-up costs
no second look at the lines.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from mailscope.tallies.keys import DAY, column, key
from mailscope.tallies.registry import BY_DAY
from mailscope.tallies.tally import Tally

# Tally -> those that are rolled up from it.
ROLLED: Final[dict[str, tuple[Tally, ...]]] = {
    name: tuple(tally for tally in BY_DAY if tally.of == name)
    for name in dict.fromkeys(tally.of for tally in BY_DAY)
}


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The day in a zone of a naive instant in UTC."""
    return instant.replace(tzinfo=UTC).astimezone(zone).date()


def one_day(frame: pl.DataFrame, zone: ZoneInfo) -> date | None:
    """The day that all rows of a table lie in; None where there are several, or a row tells no instant."""
    first, last = frame["time"].min(), frame["time"].max()
    if not isinstance(first, datetime) or not isinstance(last, datetime) or frame["time"].null_count():
        return None
    day = local_day(first, zone)
    return day if day == local_day(last, zone) else None


def rolled_up(tally: Tally, rows: pl.DataFrame, day: date | None) -> pl.DataFrame:
    """Rows of the tally that this one is rolled up from, added up.

    ``day``: the day of all rows; None where a column of theirs tells it.
    """
    derived = [key(name) for name in tally.keys if name != DAY and column(name) not in rows.columns]
    if day is not None:
        derived.append(pl.lit(day, pl.Date).alias(DAY))
    return summed(tally, [rows.with_columns(derived)])


def summed(tally: Tally, parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Rows of a tally, added up to one for each combination of its keys."""
    together = pl.concat(list(parts), how="vertical_relaxed")
    return together.group_by([column(name) for name in tally.keys]).agg(
        [measure.merge() for measure in tally.measures]
    )
