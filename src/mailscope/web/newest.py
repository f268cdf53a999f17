"""What the newest lines about one thing say of it, by the store's tables: no line is taken apart anew.

In: whom, and a span.  Out: rows of ``events``, and since when they are all there are.

An address on the network, a mail address and a user are told by the fields of lines, and by the word in lines
that no pattern knows; a domain by the text of any line.  Lines are looked through from the newest on, until
enough are found or enough were looked through; files whose index lacks the name cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
# What answers a statement with its values.
Asking = Callable[[str, list[Any]], pl.DataFrame]
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


def newest(
    looking: Queries, subject: Subject, since: datetime, until: datetime, sealed: Asking | None = None
) -> Newest:
    """The newest lines of a span about it; ``sealed``: answers what is asked of sealed files only."""
    search = _Search(looking, subject, sealed or looking.frame)
    everywhere = (search.hot(since, until), search.sealed(since, until))
    found: list[pl.DataFrame] = []
    edge, left = since, MOST_COST
    for sources in everywhere:
        windows, left = _windows(sources, since, until, left)
        reached = until if sources else since
        for begin, end in windows:
            if edge >= end:
                break
            rows = search.read(_within(sources, begin, end), begin, end)
            if len(rows) > MOST_LINES:
                edge = max(edge, rows["time"][-1])
            found.append(rows.filter(of_rows(rows, subject)))
            times = pl.concat(found)["time"].sort(descending=True)
            if len(times) >= MOST_LINES:
                edge = max(edge, times[MOST_LINES - 1])
            reached = begin
        edge = max(edge, reached)
    # Before the edge, only some of the lines are known.
    rows = pl.concat(found or [search.nothing()]).filter(pl.col("time") >= edge).sort("time")
    return Newest(rows, search.ends(rows, everywhere), edge if edge > since else None)


def _within(sources: Sequence[_Source], begin: datetime, end: datetime) -> list[_Source]:
    return [source for source in sources if source.first < end and source.last >= begin]


def _windows(
    sources: Sequence[_Source], since: datetime, until: datetime, left: float
) -> tuple[list[tuple[datetime, datetime]], float]:
    """Spans to look through, the newest first and each longer than the one before, and what is left then.

    ``left``: what may be looked through.
    """
    pieces = [piece for source in sources for piece in source.costs()]
    pieces = sorted(((min(end, until), cost) for end, cost in pieces if end > since), reverse=True)
    windows: list[tuple[datetime, datetime]] = []
    size, at, end = 1, 0, until
    while at < len(pieces):
        begun = at
        while at < min(begun + size, len(pieces)) and pieces[at][1] <= left:
            left -= pieces[at][1]
            at += 1
        begin = pieces[at][0] if at < len(pieces) else since
        if begin < end:
            windows.append((begin, end))
        if at == begun:
            break
        end, size = begin, size * GROWTH
    return windows, left


class _Search:
    """What is looked for, and where."""

    def __init__(self, looking: Queries, subject: Subject, sealed: Asking) -> None:
        self._looking, self._subject, self._of_sealed = looking, subject, sealed
        self._parts = tuple(parts(looking, subject))
        more = (name for part in self._parts for name in part.columns)
        self._columns = tuple(dict.fromkeys((*WANTED, *more)))

    def hot(self, since: datetime, until: datetime) -> list[_Source]:
        """The lines that are not sealed."""
        statement = f"select count(*) as rows, min(time) as first, max(time) as last from hot.{EVENTS.name}"
        told = self._looking.frame(f"{statement} where time >= ? and time < ?", [since, until])
        return [
            _Source("", self._parts, rows, first, last)
            for rows, first, last in told.filter(pl.col("rows") > 0).iter_rows()
        ]

    def sealed(self, since: datetime, until: datetime) -> list[_Source]:
        """The sealed files that may have any."""
        lines = SealedLines.of(self._looking)
        files = lines.within(since, until)
        having = [(part, {file.path for file in lines.having(files, part.names)}) for part in self._parts]
        found = []
        for file in files:
            there = tuple(part for part, paths in having if file.path in paths)
            if there and file.rows and file.first is not None and file.last is not None:
                found.append(_Source(file.path, there, file.rows, file.first, file.last))
        return found

    def nothing(self) -> pl.DataFrame:
        """No line."""
        return self._looking.frame(f"select {', '.join(self._columns)} from hot.{EVENTS.name} limit 0")

    def read(
        self, sources: Sequence[_Source], since: datetime, until: datetime, more: Sequence[str] = ()
    ) -> pl.DataFrame:
        """The newest lines of a span that fit one of the parts, and one more than enough.

        The sources are all sealed, or none is.
        """
        told, values = [], list[Any]()
        columns = ", ".join(dict.fromkeys((*self._columns, *more)))
        for part in self._parts:
            paths = [each.path for each in sources if part in each.parts]
            if paths:
                told.append(
                    f"select {columns} from ({self._relation(paths)}) "
                    f"where time >= ? and time < ? and ({part.sql})"
                )
                values += [since, until, *part.values]
        if not told:
            return self.nothing()
        statement = f"{' union all '.join(told)} order by time desc limit {MOST_LINES + 1:d}"
        return (self._of_sealed if sources[0].path else self._looking.frame)(statement, values)

    def _relation(self, paths: Sequence[str]) -> str:
        columns = ", ".join(dict.fromkeys((*self._columns, "raw", "recipients", *IPS, *NAMES)))
        # Files may be older than columns of the table.
        hot = f"select {columns} from hot.{EVENTS.name}" + ("" if "" in paths else " where false")
        listed = ", ".join(self._looking.file(path) for path in paths if path)
        if not listed:
            return hot
        files = f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
        return f"{hot} union all by name select * from {files}"

    def ends(self, rows: pl.DataFrame, everywhere: Sequence[Sequence[_Source]]) -> pl.DataFrame:
        """Time and text of the first and of the last of some lines, which are in order of time."""
        times = [rows["time"].head(SHOWN), rows["time"].slice(SHOWN).tail(SHOWN)]
        texts = [self._texts(some, everywhere) for some in times if len(some)]
        empty = pl.DataFrame(schema={"time": pl.Datetime("us"), "raw": pl.String})
        if not texts:
            return empty
        return pl.concat([empty, texts[0].head(SHOWN), *(text.tail(len(times[1])) for text in texts[1:])])

    def _texts(self, times: pl.Series, everywhere: Sequence[Sequence[_Source]]) -> pl.DataFrame:
        """The lines about it from the first to the last of some instants."""
        begin, end = times[0], times[-1] + INSTANT
        there = (_within(sources, begin, end) for sources in everywhere)
        read = [self.read(sources, begin, end, ("raw",)) for sources in there if sources]
        rows = pl.concat([each.filter(of_rows(each, self._subject)) for each in read])
        return rows.select("time", "raw").sort("time")
