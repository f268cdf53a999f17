"""Lines that the store has already: loading the same files again changes nothing.

A line is known when the store holds the same bytes with the same instant.  What a log holds twice was logged
twice: the n-th time that lines being loaded hold a line is the n-th time that the store does.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import polars as pl

from mailscope.recognise.events import Events
from mailscope.store.database import Database
from mailscope.vocabulary.tables import EVENTS

HOUR = timedelta(hours=1)


@dataclass
class Known:
    """What the store held before a run (up to ``batch``); ``met`` counts how often lines were met in it.

    ``own``: batches that the run itself has stored; what others store meanwhile is known as well, where
    ``come`` is told of it.
    """

    database: Database
    batch: int
    own: set[int] = field(default_factory=set)
    met: Counter[tuple[datetime | None, str]] = field(default_factory=Counter)
    others: bool = False
    _hours: dict[datetime | None, pl.DataFrame] = field(default_factory=dict)

    def without(self, batch: list[Events]) -> list[Events]:
        """A batch without the lines that are known.  They were counted when they were stored."""
        thinned = [self._thinned(events) for events in batch]
        # Where nothing is new, its blank lines were counted as well.
        return [now for now, before in zip(thinned, batch, strict=True) if now.read or now is before]

    def come(self, times: pl.Series) -> None:
        """Others have stored lines of these instants."""
        self.others = True
        for hour in times.dt.truncate("1h").unique().to_list():
            self._hours.pop(hour, None)

    def _thinned(self, events: Events) -> Events:
        if not len(events.raw):
            return events
        hours = events.time.dt.truncate("1h").unique().to_list()
        stored = [rows for hour in hours if len(rows := self._stored(hour))]
        if not stored:
            return events
        alive = (
            events.alive if events.alive is not None else pl.Series([True]).new_from_index(0, len(events.raw))
        )
        lines = (
            pl.DataFrame({"time": events.time, "raw": events.raw})
            .with_row_index("row")
            .filter(alive)
            .join(pl.concat(stored), on=["time", "raw"], how="inner", nulls_equal=True)
            .sort("row")
        )
        known: list[int] = []
        for row, time, raw, count in lines.select("row", "time", "raw", "count").iter_rows():
            self.met[time, raw] += 1
            if self.met[time, raw] <= count:
                known.append(row)
        if not known:
            return events
        keep = pl.Series([True]).new_from_index(0, len(events.raw)).scatter(known, False)
        return events.select(keep)

    def _stored(self, hour: datetime | None) -> pl.DataFrame:
        """The lines of an hour that were there before, with how often."""
        if hour not in self._hours:
            while len(self._hours) > 4:
                old = next(iter(self._hours))
                del self._hours[old]
                self.met = Counter({line: n for line, n in self.met.items() if _hour(line[0]) != old})
            if hour is None:
                relation, where, values = self.database.relation(EVENTS), "time is null", list[object]()
            else:
                values = [hour, hour + HOUR]
                relation = self.database.relation(EVENTS, "last >= ? and first < ?", tuple(values))
                where = "time >= ? and time < ?"
            # Of what has come since, only what others have stored; what is our own is most, and passed over.
            before, values = "batch <= ?", [*values, self.batch]
            if self.others:
                before, values = f"({before} or batch not in (select unnest(?)))", [*values, list(self.own)]
            self._hours[hour] = self.database.frame(
                f"select time, raw, count(*) as count from ({relation}) where {where} and {before} "
                "group by all",
                values,
            )
        return self._hours[hour]


def _hour(time: datetime | None) -> datetime | None:
    return None if time is None else time.replace(minute=0, second=0, microsecond=0)
