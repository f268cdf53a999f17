"""From what a person looks for to the lines that tell of it: with the ids, then Message-IDs, that they name.

    seed --rows that bear it--> found --what they name--> more rows ... --their sessions--> texts

Rows that are not sealed are asked in SQL; of sealed files those are opened whose index has a name
(``sealed.py``).  What is found is more than enough: ``trails/search`` then looks at these lines as it does at
a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

import polars as pl

from mailscope.store.asking import Asked
from mailscope.store.beside import NEAR, PATH, ROW, SOON, Beside, for_same_client, in_sessions, notified
from mailscope.store.database import Queries
from mailscope.store.names import NAMING, Condition
from mailscope.store.sealed import BASE, DTYPES, KINDS, TEXT, SealedLines
from mailscope.store.seeds import Seed, named, seed
from mailscope.vocabulary.tables import EVENTS

ROUNDS: Final = 12
MOST_IDS: Final = 4_000
# Lines of one message are not further apart (a queue's lifetime, and a day for clocks).
REACH: Final = timedelta(days=8)
Values = list[Any]


@dataclass(frozen=True)
class Span:
    """Instants (naive UTC; None: open) and hosts (none: all) of lines to look through."""

    since: datetime | None
    until: datetime | None
    hosts: tuple[str, ...] = ()

    def sql(self) -> tuple[str, Values]:
        """The condition that a line is within, and its values."""
        told, values = [], []
        for sign, edge in ((">=", self.since), ("<", self.until)):
            if edge is not None:
                told.append(f" and time {sign} ?")
                values.append(edge)
        if self.hosts:
            told.append(f" and lower(host) in ({', '.join('?' for _ in self.hosts)})")
        return "".join(told), [*values, *(name.lower() for name in self.hosts)]

    def reaches(self, first: datetime | None, last: datetime | None) -> bool:
        """Whether lines from a first to a last instant may be within (None: they have none)."""
        if first is None or last is None:
            return self.since is None and self.until is None
        return (self.since is None or last >= self.since) and (self.until is None or first < self.until)

    def of(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The lines that are within."""
        if self.since is not None:
            rows = rows.filter(pl.col("time") >= self.since)
        if self.until is not None:
            rows = rows.filter(pl.col("time") < self.until)
        if self.hosts:
            rows = rows.filter(pl.col("host").str.to_lowercase().is_in([name.lower() for name in self.hosts]))
        return rows


@dataclass
class Search:
    """One search in the store.  ``indexed``: whether the indexes of sealed files are asked."""

    database: Queries
    asked: Asked
    indexed: bool = True
    ids: set[str] = field(default_factory=set)
    message_ids: set[str] = field(default_factory=set)
    trails: set[str] = field(default_factory=set)
    first: datetime | None = None
    last: datetime | None = None
    _found: list[pl.DataFrame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._sealed = self._sealed_lines()

    def _sealed_lines(self) -> SealedLines:
        """The sealed lines that are looked at."""
        return SealedLines.of(self.database, indexed=self.indexed)

    def lines(self) -> Iterator[pl.DataFrame]:
        """The lines, in order of time."""
        asked = self.asked
        # More than are told, so that it can be said how many more there are.
        most = 10 * asked.limit
        span = Span(asked.since, asked.until, asked.hosts)
        self._take(self._bearing(seed(self.database, asked), span, 50 * most), most)
        self._close()
        yield self._all()

    def _take(self, rows: pl.DataFrame, most: int = MOST_IDS) -> tuple[set[str], set[str], set[str]]:
        """Note ids, Message-IDs and messages of lines, and when they were; gives those that are new."""
        ids: set[str] = set()
        for name in NAMING:
            ids |= set(rows[name].drop_nulls().unique(maintain_order=True).head(most))
        message_ids = (
            set(rows["message_id"].drop_nulls().unique()) if len(self.message_ids) < MOST_IDS else set()
        )
        new, new_message_ids = ids - self.ids, message_ids - self.message_ids
        if len(self.ids) + len(new) > MOST_IDS:
            new = set(sorted(new)[: MOST_IDS - len(self.ids)])
        trails = set(rows["trail_id"].drop_nulls().unique(maintain_order=True).head(most))
        new_trails = trails - self.trails if len(self.trails) < MOST_IDS else set()
        self.ids |= new
        self.message_ids |= new_message_ids
        self.trails |= new_trails
        if len(rows):
            first, last = rows["time"].min(), rows["time"].max()
            if isinstance(first, datetime) and isinstance(last, datetime):
                self.first = first if self.first is None else min(first, self.first)
                self.last = last if self.last is None else max(last, self.last)
        return new, new_message_ids, new_trails

    def _close(self) -> None:
        """Look for what the lines found so far name, until nothing new comes."""
        ids, message_ids, trails = set(self.ids), set(self.message_ids), set(self.trails)
        for _ in range(ROUNDS):
            if not (ids or message_ids or trails) or self.first is None or self.last is None:
                return
            rows = self._bearing(named(ids, message_ids, trails), Span(self.first - REACH, self.last + REACH))
            notified = self._notified(rows)
            self._found.append(notified)
            ids, message_ids, trails = self._take(pl.concat([rows, notified]))

    def _bearing(self, sought: Seed, span: Span, most: int | None = None) -> pl.DataFrame:
        """The lines that bear one of some names or fit a condition; where there is a limit, the earliest."""
        files = self._sealed.within(span.since, span.until)
        parts = [self._hot(sought, span)]
        if sought.names:
            parts += map(span.of, self._sealed.bearing(files, sought.names))
        for condition in sought.conditions:
            parts.append(self._fitting(condition, span))
        found = pl.concat(parts).unique([PATH, ROW], keep="first")
        found = found.sort("time", PATH, ROW)
        if most is not None:
            found = found.head(most)
        self._found.append(found)
        return found

    def _hot(self, sought: Seed, span: Span) -> pl.DataFrame:
        """The lines that are not sealed and bear a name."""
        told, values = [], []
        for column, names in sought.names.items():
            # Some are numbers (delivery_id).
            told.append(f"{column}::varchar in (select unnest(?::varchar[]))")
            values.append(sorted(names))
        return self._unsealed(BASE, Condition(" or ".join(told) or "false", tuple(values)), span)

    def _fitting(self, condition: Condition, span: Span) -> pl.DataFrame:
        """The lines that fit a condition."""
        where, bounds = span.sql()
        files = self._sealed.within(span.since, span.until)
        found = self._sealed.matching(files, condition, where, bounds)
        hot = self._unsealed(BASE, condition, span)
        return hot if found is None else pl.concat([hot, found], how="vertical_relaxed")

    def _unsealed(self, columns: Sequence[str], condition: Condition, span: Span) -> pl.DataFrame:
        """The lines that are not sealed and fit a condition; nothing is asked where none are of that time."""
        first, last, count = self._hot_edges
        if not count or not span.reaches(first, last):
            return pl.DataFrame(
                schema={PATH: pl.String, ROW: pl.Int64, **{name: DTYPES[KINDS[name]] for name in columns}}
            )
        where, bounds = span.sql()
        return self.database.frame(
            f"select null::varchar as {PATH}, rowid as {ROW}, {', '.join(columns)} "
            f"from hot.{EVENTS.name} where ({condition.sql}){where}",
            [*condition.values, *bounds],
        )

    @cached_property
    def _hot_edges(self) -> tuple[datetime | None, datetime | None, int]:
        """The first and the last instant of lines that are not sealed, and how many there are."""
        asked = f"select min(time), max(time), count(*) from hot.{EVENTS.name}"
        first, last, count = self.database.connection.execute(asked).fetchall()[0]
        return first, last, count

    def _notified(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Where qmail made a notification: the lines that bring it into the queue."""
        beside = notified(rows)
        if not beside.spans or self.first is None or self.last is None:
            return rows.clear()
        return beside.of(Span(self.first, self.last + SOON).of(self._beside(beside, BASE)))

    def _beside(self, beside: Beside, columns: Sequence[str]) -> pl.DataFrame:
        """Columns of the lines that meet the condition of those that stand beside others."""
        if not beside.spans:
            return beside.others.select(PATH, ROW, *columns).clear()
        hot = self._unsealed(BASE, _near(beside), Span(beside.spans[0][0], beside.spans[-1][1]))
        sealed = self._sealed.beside(self._sealed.near(beside), beside, columns)
        return pl.concat([hot.filter(beside.condition).select(PATH, ROW, *columns), *sealed])

    def _all(self) -> pl.DataFrame:
        """All lines that were found on the way, with their sessions."""
        found = pl.concat(self._found).unique([PATH, ROW])
        beside = in_sessions(found)
        sessions = for_same_client(self._beside(beside, NEAR), beside)
        places = pl.concat([each.select(PATH, ROW, "time") for each in (found, sessions)]).unique([PATH, ROW])
        by_path = places.partition_by(PATH, as_dict=True)
        rows = by_path.pop((None,), found.clear())[ROW].to_list()
        of_rows = Condition("rowid in (select unnest(?::bigint[]))", (rows,))
        hot = self._unsealed(("time", *TEXT), of_rows, Span(None, None))
        lines = pl.concat(
            [hot.drop(PATH, ROW), *self._sealed.texts({path: lines for (path,), lines in by_path.items()})]
        )
        sets = self.database.frame("select source, set_id from own.sources")
        return (
            lines.sort("time", "batch", "line_number")
            .join(sets, on="source", how="left", maintain_order="left")
            .select("source", "set_id", "time", "raw")
        )


def _near(beside: Beside) -> Condition:
    """What lines that stand beside others meet, and some more."""
    where = f"{beside.keys[0]} in (select unnest(?::bigint[])) and time >= ? and time < ?"
    return Condition(where, (beside.numbers.to_list(), beside.spans[0][0], beside.spans[-1][1]))
