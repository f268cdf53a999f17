"""From what a person looks for to the lines that tell of it: with the ids, then Message-IDs, that they name.

    seed --rows that bear it--> found --what they name--> more rows ... --their sessions--> texts

Rows that are not sealed are asked in SQL; of sealed files those are opened whose index has a name
(``sealed.py``).  What is found is more than enough: ``trails/search`` then looks at these lines as it does at
a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl

from mailscope.store.asking import Asked
from mailscope.store.database import Queries
from mailscope.store.names import NAMING, Condition
from mailscope.store.sealed import BASE, PATH, ROW, TEXT, SealedLines
from mailscope.store.seeds import Seed, named, seed
from mailscope.vocabulary.tables import EVENTS

ROUNDS: Final = 12
MOST_IDS: Final = 4_000
# Lines of one message are not further apart (a queue's lifetime, and a day for clocks).
REACH: Final = timedelta(days=8)
# A session's lines stand so near to the line that belongs to a message.
SESSION: Final = timedelta(minutes=30)
MOST_SESSIONS: Final = 300
# qmail's notification comes into the queue right after the line that tells of it.
SOON: Final = timedelta(minutes=10)
# What is asked of each line; those that are not sealed are known by their row only.
COLUMNS: Final = f"null::varchar as {PATH}, rowid as {ROW}, {', '.join(BASE)}"

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
        where, bounds = span.sql()
        wanted = " or ".join(told) or "false"
        return self.database.frame(
            f"select {COLUMNS} from hot.{EVENTS.name} where ({wanted}){where}", [*values, *bounds]
        )

    def _fitting(self, condition: Condition, span: Span) -> pl.DataFrame:
        """The lines that fit a condition."""
        where, bounds = span.sql()
        hot = self.database.frame(
            f"select {COLUMNS} from hot.{EVENTS.name} where ({condition.sql}){where}",
            [*condition.values, *bounds],
        )
        files = self._sealed.within(span.since, span.until)
        found = self._sealed.matching(files, condition, where, bounds)
        return hot if found is None else pl.concat([hot, found], how="vertical_relaxed")

    def _notified(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Where qmail made a notification: the lines that bring it into the queue, by its process."""
        made = rows.filter((pl.col("event") == "bounced_to_sender") & pl.col("qp").is_not_null())
        if not len(made) or self.first is None or self.last is None:
            return rows.clear()
        anchors = made.select("qp", "time").unique()
        span = Span(self.first, self.last + SOON)
        return self._beside(anchors, ["qp"], pl.col("event") == "queued", timedelta(seconds=1), SOON, span)

    def _sessions(self, found: pl.DataFrame) -> pl.DataFrame:
        """The lines around acceptances and refusals that the same process wrote for the same client."""
        begun = found.filter(pl.col("event").is_in(["accepted", "rejected"]) & pl.col("pid").is_not_null())
        if not len(begun) or len(begun) > MOST_SESSIONS:
            return found.clear()
        keys = ["pid", "host"]
        anchors = begun.select(*keys, "time").unique()
        near = self._beside(anchors, keys, pl.col("queue_id").is_null(), SESSION, SESSION)
        # A process takes one client after the other; where no line tells of a client's coming, all count.
        rows = pl.concat([near, begun]).unique([PATH, ROW]).sort("time", PATH, ROW, nulls_last=True)
        client = (pl.col("event") == "connected").cum_sum().over(keys).alias("client")
        rows = rows.with_columns(client)
        return rows.join(
            rows.join(begun, on=[PATH, ROW], how="semi", nulls_equal=True),
            on=[*keys, "client"], how="semi", nulls_equal=True,
        ).drop("client")  # fmt: skip

    def _beside(
        self,
        anchors: pl.DataFrame,
        keys: list[str],
        wanted: pl.Expr,
        before: timedelta,
        after: timedelta,
        span: Span | None = None,
    ) -> pl.DataFrame:
        """The lines with the same keys (the first is a number) as an anchor and so near to it in time."""
        spans = _spans(anchors["time"].drop_nulls(), before, after)
        files = {file.path: file for since, until in spans for file in self._sealed.within(since, until)}
        wanted = wanted & pl.any_horizontal(pl.col("time").is_between(*edges, "left") for edges in spans)
        parts = [self._hot_beside(anchors[keys[0]], keys[0], spans)]
        parts += self._sealed.beside(files.values(), keys[0], anchors[keys[0]], wanted)
        rows = pl.concat(parts).filter(wanted)
        rows = rows if span is None else span.of(rows)
        near = (
            rows.select(PATH, ROW, "time", *keys)
            .join(anchors.rename({"time": "at"}), on=keys, how="inner", nulls_equal=True)
            .filter((pl.col("time") - pl.col("at")).is_between(-before, after))
        )
        return rows.join(near, on=[PATH, ROW], how="semi", nulls_equal=True)

    def _hot_beside(
        self, values: pl.Series, column: str, spans: list[tuple[datetime, datetime]]
    ) -> pl.DataFrame:
        return self.database.frame(
            f"select {COLUMNS} from hot.{EVENTS.name} where {column} in (select unnest(?::bigint[])) "
            "and time >= ? and time < ?",
            [values.drop_nulls().unique().to_list(), spans[0][0], spans[-1][1]],
        )

    def _all(self) -> pl.DataFrame:
        """All lines that were found on the way, with their sessions."""
        found = pl.concat(self._found).unique([PATH, ROW], keep="first", maintain_order=True)
        found = pl.concat([found, self._sessions(found)]).unique([PATH, ROW])
        by_path = found.select(PATH, ROW).sort(PATH, ROW).partition_by(PATH, as_dict=True)
        numbers = {path: rows[ROW].to_list() for (path,), rows in by_path.items()}
        hot = self._hot_texts(numbers.pop(None, []))
        lines = pl.concat([hot, *self._sealed.texts(numbers)])
        sets = self.database.frame("select source, set_id from own.sources")
        return (
            lines.sort("time", "batch", "line_number")
            .join(sets, on="source", how="left", maintain_order="left")
            .select("source", "set_id", "time", "raw")
        )

    def _hot_texts(self, rows: Iterable[int]) -> pl.DataFrame:
        return self.database.frame(
            f"select time, {', '.join(TEXT)} from hot.{EVENTS.name} "
            "where rowid in (select unnest(?::bigint[]))",
            [list(rows)],
        )


def _spans(times: pl.Series, before: timedelta, after: timedelta) -> list[tuple[datetime, datetime]]:
    """Instants with what is around them, as spans that do not meet (ends exclusive)."""
    spans: list[tuple[datetime, datetime]] = []
    for time in times.unique().sort():
        begin, end = time - before, time + after + timedelta(microseconds=1)
        if spans and begin <= spans[-1][1]:
            spans[-1] = spans[-1][0], end
        else:
            spans.append((begin, end))
    return spans
