"""What the newest lines about one thing say of it, by the store's tables: no line is taken apart anew.

In: whom, and a span.  Out: rows of ``events``, and since when they are all there are.

An address on the network, a mail address and a user are told by the fields of lines, and by the word in lines
that no pattern knows; a domain by the text of any line.  Lines are looked through from the newest on, until
enough are found or enough were looked through; files whose index lacks the name cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final

import polars as pl

from mailscope.about.collect import COLUMNS, SHOWN
from mailscope.about.mentions import IPS, NAMES, of_rows
from mailscope.about.subject import Subject
from mailscope.store.database import Queries
from mailscope.store.sealed import SealedLines
from mailscope.vocabulary.tables import EVENTS
from mailscope.web.sought import Part, parts

MOST_LINES: Final = 2_000
# What may be looked through: lines by their cost (``sought.py``).
MOST_COST: Final = 500_000.0
# About so many lines are looked through first, then more at once.
PIECE: Final = 40_000
GROWTH: Final = 4
INSTANT: Final = timedelta(microseconds=1)
BASE: Final = ("time", "host", "program", "service", "event", "queue_id", "trail_id")
WANTED: Final = tuple(name for name in dict.fromkeys((*BASE, *COLUMNS)) if name in EVENTS.names)


@dataclass(frozen=True)
class Newest:
    """``rows``: of ``WANTED`` in order of time; ``ends``: time and ``raw`` of the first and of the last.

    ``since``: there may be others before it (None: these are all of the span).
    """

    rows: pl.DataFrame
    ends: pl.DataFrame
    since: datetime | None


@dataclass(frozen=True)
class _Source:
    """A sealed file, or the lines that are not sealed (no path), and which parts may be in it."""

    path: str
    parts: tuple[Part, ...]
    rows: int
    first: datetime
    last: datetime

    def costs(self) -> Iterator[tuple[datetime, float]]:
        """What looking through it costs by pieces, each with its end, as if lines were evenly spread."""
        count = ceil(self.rows / PIECE)
        step = (self.last + INSTANT - self.first) / count
        cost = self.rows / count * sum(part.cost for part in self.parts)
        for number in range(1, count + 1):
            yield self.first + number * step if number < count else self.last + INSTANT, cost


def newest(looking: Queries, subject: Subject, since: datetime, until: datetime) -> Newest:
    """The newest lines of a span that are about it."""
    search = _Search(looking, subject)
    sources = [*search.hot(since, until), *search.sealed(since, until)]
    found = [search.read([], since, since)]
    edge, reached = since, until if sources else since
    for begin, end in _windows(sources, since, until):
        if edge >= end:
            break
        there = [source for source in sources if source.first < end and source.last >= begin]
        rows = search.read(there, begin, end)
        if len(rows) > MOST_LINES:
            edge = max(edge, rows["time"][-1])
        found.append(rows.filter(of_rows(rows, subject)))
        times = pl.concat(found)["time"].sort(descending=True)
        if len(times) >= MOST_LINES:
            edge = max(edge, begin, times[MOST_LINES - 1])
        reached = begin
    edge = max(edge, reached)
    # Before the edge, only some of the lines are known.
    rows = pl.concat(found).filter(pl.col("time") >= edge).sort("time")
    return Newest(rows, search.ends(rows, sources), edge if edge > since else None)


def _windows(sources: list[_Source], since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Spans to look through, the newest first and each longer than the one before, as far as may be."""
    pieces = [piece for source in sources for piece in source.costs()]
    pieces = sorted(((min(end, until), cost) for end, cost in pieces if end > since), reverse=True)
    left, size, at, end = MOST_COST, 1, 0, until
    while at < len(pieces):
        begun = at
        while at < min(begun + size, len(pieces)) and pieces[at][1] <= left:
            left -= pieces[at][1]
            at += 1
        begin = pieces[at][0] if at < len(pieces) else since
        if begin < end:
            yield begin, end
        if at == begun:
            return
        end, size = begin, size * GROWTH


class _Search:
    """What is looked for, and where."""

    def __init__(self, looking: Queries, subject: Subject) -> None:
        self._looking, self._subject = looking, subject
        self._parts = tuple(parts(looking, subject))
        more = (name for part in self._parts for name in part.columns)
        self._columns = tuple(dict.fromkeys((*WANTED, *more)))

    def hot(self, since: datetime, until: datetime) -> Iterator[_Source]:
        """The lines that are not sealed."""
        statement = f"select count(*) as rows, min(time) as first, max(time) as last from hot.{EVENTS.name}"
        told = self._looking.frame(f"{statement} where time >= ? and time < ?", [since, until])
        for rows, first, last in told.filter(pl.col("rows") > 0).iter_rows():
            yield _Source("", self._parts, rows, first, last)

    def sealed(self, since: datetime, until: datetime) -> Iterator[_Source]:
        """The sealed files that may have any."""
        lines = SealedLines.of(self._looking)
        for file in lines.within(since, until):
            there = tuple(part for part in self._parts if lines.having(file, part.names))
            if there and file.rows and file.first is not None and file.last is not None:
                yield _Source(file.path, there, file.rows, file.first, file.last)

    def read(
        self, sources: Sequence[_Source], since: datetime, until: datetime, more: Sequence[str] = ()
    ) -> pl.DataFrame:
        """The newest lines of a span in some sources that fit one of the parts, and one more than enough."""
        told, values = [], list[Any]()
        columns = ", ".join(dict.fromkeys((*self._columns, *more)))
        for part in self._parts:
            relation = self._relation([each.path for each in sources if part in each.parts])
            told.append(f"select {columns} from ({relation}) where time >= ? and time < ? and ({part.sql})")
            values += [since, until, *part.values]
        statement = " union all ".join(told)
        return self._looking.frame(f"{statement} order by time desc limit {MOST_LINES + 1:d}", values)

    def _relation(self, paths: Sequence[str]) -> str:
        columns = ", ".join(dict.fromkeys((*self._columns, "raw", "recipients", *IPS, *NAMES)))
        # Files may be older than columns of the table.
        hot = f"select {columns} from hot.{EVENTS.name}" + ("" if "" in paths else " where false")
        listed = ", ".join(self._looking.file(path) for path in paths if path)
        if not listed:
            return hot
        files = f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
        return f"{hot} union all by name select * from {files}"

    def ends(self, rows: pl.DataFrame, sources: Sequence[_Source]) -> pl.DataFrame:
        """Time and text of the first and of the last of some lines, which are in order of time."""
        times = [rows["time"].head(SHOWN), rows["time"].slice(SHOWN).tail(SHOWN)]
        texts = [self._texts(some, sources) for some in times if len(some)]
        empty = pl.DataFrame(schema={"time": pl.Datetime("us"), "raw": pl.String})
        if not texts:
            return empty
        return pl.concat([empty, texts[0].head(SHOWN), *(text.tail(len(times[1])) for text in texts[1:])])

    def _texts(self, times: pl.Series, sources: Sequence[_Source]) -> pl.DataFrame:
        """The lines about it from the first to the last of some instants."""
        begin, end = times[0], times[-1] + INSTANT
        there = [source for source in sources if source.first < end and source.last >= begin]
        rows = self.read(there, begin, end, ("raw",))
        return rows.filter(of_rows(rows, self._subject)).select("time", "raw").sort("time")
