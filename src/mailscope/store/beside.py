"""Lines that stand beside others: their process wrote both, one soon after the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

import polars as pl

# A line is known by its file and its row there.
PATH: Final = "place"
ROW: Final = "row"
# What is asked of lines to tell whether they stand beside others.
NEAR: Final = ("time", "host", "pid", "event")
# A session's lines stand so near to the line that belongs to a message.
SESSION: Final = timedelta(minutes=30)
MOST_SESSIONS: Final = 300
# qmail's notification comes into the queue right after the line that tells of it.
SOON: Final = timedelta(minutes=10)

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Beside:
    """Lines that are wanted, have the same keys as one of some others, and are so near to it in time.

    ``others`` has the keys, of which the first is a number, and ``time``.
    """

    others: pl.DataFrame
    keys: tuple[str, ...]
    wanted: pl.Expr
    before: timedelta
    after: timedelta

    @cached_property
    def spans(self) -> list[Span]:
        """Where they are: spans that do not meet (ends exclusive), in order; none without others."""
        found: list[Span] = []
        for time in self.others["time"].drop_nulls().unique().sort():
            begin, end = time - self.before, time + self.after + timedelta(microseconds=1)
            if found and begin <= found[-1][1]:
                found[-1] = found[-1][0], end
            else:
                found.append((begin, end))
        return found

    @cached_property
    def numbers(self) -> pl.Series:
        """The first key of the others."""
        return self.others[self.keys[0]].drop_nulls().unique()

    @property
    def condition(self) -> pl.Expr:
        """What they all meet, and some more lines."""
        near = (pl.col("time").is_between(*span, "left") for span in self.spans)
        return (
            self.wanted & pl.any_horizontal(False, *near) & pl.col(self.keys[0]).is_in(self.numbers.implode())
        )

    def of(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Those of some rows that meet the condition."""
        others = self.others.select(*self.keys, at="time").unique()
        near = (
            rows.select(PATH, ROW, "time", *self.keys)
            .join(others, on=self.keys, how="inner", nulls_equal=True)
            .filter((pl.col("time") - pl.col("at")).is_between(-self.before, self.after))
        )
        return _these(rows, near)


def notified(rows: pl.DataFrame) -> Beside:
    """Where qmail made a notification: the lines that bring it into the queue, by its process."""
    made = rows.filter((pl.col("event") == "bounced_to_sender") & pl.col("qp").is_not_null())
    return Beside(made, ("qp",), pl.col("event") == "queued", timedelta(seconds=1), SOON)


def in_sessions(rows: pl.DataFrame) -> Beside:
    """The lines around acceptances and refusals by the same process; none where these are too many."""
    begun = rows.filter(pl.col("event").is_in(["accepted", "rejected"]) & pl.col("pid").is_not_null())
    begun = begun.clear() if len(begun) > MOST_SESSIONS else begun
    return Beside(begun, ("pid", "host"), pl.col("queue_id").is_null(), SESSION, SESSION)


def for_same_client(rows: pl.DataFrame, beside: Beside) -> pl.DataFrame:
    """Those of some rows (PATH, ROW, NEAR) that stand beside others and tell of the same client.

    A process takes one client after the other; where no line tells of a client's coming, all count.
    """
    begun = beside.others.select(rows.columns)
    both = pl.concat([beside.of(rows), begun]).unique([PATH, ROW])
    client = (pl.col("event") == "connected").cum_sum().over(beside.keys).alias("client")
    both = both.sort("time", PATH, ROW, nulls_last=True).with_columns(client)
    theirs = _these(both, begun).select(*beside.keys, "client").unique()
    same = both.join(theirs, on=[*beside.keys, "client"], how="semi", nulls_equal=True)
    return same.drop("client")


def _these(rows: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """Those of some rows that are also among others."""
    return rows.join(places, on=[PATH, ROW], how="semi", nulls_equal=True)
