"""Tallies hour by hour (UTC), so that those of any span of whole hours are the sum of some.

A row counts for the hour of its line.  A message and its recipients count for the hour in which the message
began, whenever their fate becomes known: so the messages of a span are those that arrived in it.  What is
still under way is no part of an hour; it is added when a span is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from mailscope.recognise.events import Events
from mailscope.tallies.ledger import UTC_ZONE, Ledger
from mailscope.tallies.tables import tables
from mailscope.trails.tracker import Outcome

HOUR: Final = timedelta(hours=1)
FIRST_TIME: Final = {"messages": "first_time"}
# Lines of which no instant is known at all.
NO_TIME: Final = datetime(1970, 1, 1)
TIMELESS: Final = pl.Series("time", [NO_TIME], dtype=pl.Datetime("us"))


@dataclass
class Hours:
    """The ledgers of the hours that anything was added to."""

    zone: ZoneInfo = UTC_ZONE
    ledgers: dict[datetime, Ledger] = field(default_factory=dict)

    def add(self, batch: list[Events], outcome: Outcome) -> None:
        """Count one batch."""
        frames = {name: _timed(name, frame, outcome) for name, frame in tables(batch, outcome)}
        lines = [_hours(events.time if len(events.raw) else TIMELESS) for events in batch]
        rows_of = [frame["_hour"] for frame in frames.values()]
        hours = pl.concat([TIMELESS.clear().alias("_hour"), *lines, *rows_of])
        for hour in hours.unique().sort():
            ledger = self.ledgers.setdefault(hour, Ledger(zone=self.zone))
            rows = {
                name: frame.filter(pl.col("_hour") == hour).drop("_hour") for name, frame in frames.items()
            }
            ledger.add_rows(
                list(_of_hour(batch, hour)), {name: frame for name, frame in rows.items() if len(frame)}
            )

    def merge(self, other: Hours) -> None:
        """Add the hours of another."""
        for hour, ledger in other.ledgers.items():
            self.put(hour, ledger)

    def put(self, hour: datetime, ledger: Ledger) -> None:
        """Add a ledger to an hour."""
        if hour in self.ledgers:
            self.ledgers[hour].merge(ledger)
        else:
            self.ledgers[hour] = ledger

    def between(self, since: datetime | None, until: datetime | None) -> Ledger:
        """The sum of the hours that begin in a span (naive UTC; None: open)."""
        whole = Ledger(zone=self.zone)
        for hour in sorted(self.ledgers):
            if (since is None or hour >= since) and (until is None or hour < until):
                whole.merge(self.ledgers[hour])
        return whole


def _timed(name: str, frame: pl.DataFrame, outcome: Outcome) -> pl.DataFrame:
    """A table's rows with the hour that each counts for."""
    if name == "recipients":
        begun = outcome.messages.select("trail", pl.col("first_time").alias("_begun"))
        frame = frame.join(begun, on="trail", how="left", maintain_order="left")
        hour = _hours(frame.select(pl.coalesce("_begun", "time")).to_series())
        frame = frame.drop("_begun")
    else:
        hour = _hours(frame[FIRST_TIME.get(name, "time")])
    return frame.with_columns(hour.alias("_hour"))


def _hours(time: pl.Series) -> pl.Series:
    return time.dt.truncate("1h").fill_null(NO_TIME).alias("_hour")


def _of_hour(batch: list[Events], hour: datetime) -> Iterator[Events]:
    """The lines of an hour; blank and repeated ones count with the first hour that a chunk has lines of."""
    for events in batch:
        if not len(events.raw):
            if hour == NO_TIME:
                yield events
            continue
        hours = _hours(events.time)
        mine = hours == hour
        if mine.all():
            yield events
        elif mine.any():
            part = events.select(mine)
            yield part if hours.min() == hour else replace(part, blank=0, duplicate=0)
