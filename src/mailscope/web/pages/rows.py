"""Rows of the store's tables, the newest first, found without looking at more days than are needed.

A table's sealed files are of one day each, and the manifest tells their instants.  So the rows that are not
sealed are asked first, and then the latest day, the two before it, the four before these and so on, until
there are enough: what is found everywhere is found soon, and what is hardly there in few questions.

Sealed files never change, so what was found in them is remembered for the next look, and only the rows that
are not sealed are asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl

from mailscope.store.database import Queries
from mailscope.store.reader import Reader
from mailscope.store.remembering import Remembered
from mailscope.vocabulary.tables import TABLES, Table

Values = list[Any]


@dataclass
class Where:
    """Conditions of SQL, all of which must hold, and their values.

    ``either``: conditions besides of which one must hold (where there is any).  Each is asked by itself, as
    files that cannot have a value are passed over then; of "this or that" DuckDB reads every row.
    """

    conditions: list[str] = field(default_factory=list)
    values: Values = field(default_factory=list)
    either: list[tuple[str, Values]] = field(default_factory=list)

    def add(self, condition: str, *values: Any) -> None:
        """One more."""
        self.conditions.append(condition)
        self.values += values

    def sql(self) -> str:
        """All of them."""
        return " and ".join(f"({each})" for each in self.conditions) or "true"

    def of(self, relation: str, values: Sequence[Any] = ()) -> tuple[str, Values]:
        """SQL for the rows of a relation for which one of ``either`` holds, and the values in it.

        ``values``: those in the relation.
        """
        if not self.either:
            return relation, [*values]
        parts, told = [], []
        for number, (condition, more) in enumerate(self.either):
            before = self.either[:number]  # a row for which several hold is of the first of them
            others = "".join(f" and ({each}) is not true" for each, _ in before)
            parts.append(f"select * from ({relation}) where ({condition}){others}")
            told += [*values, *more, *(value for _, theirs in before for value in theirs)]
        return " union all ".join(parts), told

    def __bool__(self) -> bool:
        return bool(self.conditions or self.either)


@dataclass(frozen=True)
class Rows:
    """What pages ask of tables; ``remembered``: where what was found in sealed files is."""

    reader: Reader
    remembered: Remembered

    def newest(
        self, name: str, columns: str, where: Where, since: datetime, until: datetime, limit: int
    ) -> pl.DataFrame:
        """At most so many rows of a span (naive UTC), the newest first."""
        table = TABLES[name]
        found: list[pl.DataFrame] = []
        count = 0
        with self.reader.database.snapshot(views=False) as looking:
            for number, relation in enumerate(_relations(looking, table, since, until)):
                rows, values = where.of(relation)
                frame = self._frame(
                    looking,
                    f"select {columns} from ({rows}) where {table.time} >= ? and {table.time} < ? and "
                    f"{where.sql()} order by {table.time} desc limit {limit:d}",
                    [*values, since, until, *where.values],
                    sealed=number > 0,
                ).head(limit - count)
                found.append(frame)
                count += len(frame)
                if count >= limit:
                    break
        whole = pl.concat(found, how="vertical_relaxed")
        # Late lines may not be sealed with the others of their day.
        return whole.sort(table.time, descending=True) if _named(columns, table.time) else whole

    def count(self, name: str, where: Where, since: datetime, until: datetime) -> int:
        """How many rows of a span there are."""
        table = TABLES[name]

        def counted(relation: str) -> tuple[str, Values]:
            within = f"select * from ({relation}) where {table.time} >= ? and {table.time} < ?"
            rows, values = where.of(within, (since, until))
            return f"select count(*) from ({rows}) where {where.sql()}", [*values, *where.values]

        return sum(int(frame.item()) for frame in self._everywhere(table, counted, since, until))

    def how_many(self, name: str, where: Where) -> int:
        """How many rows of all time there are that are not sealed: those that may change still."""
        with self.reader.database.snapshot(views=False) as looking:
            return int(looking.value(f"select count(*) from hot.{name} where {where.sql()}", where.values))

    def grouped(
        self, name: str, statement: str, values: Sequence[Any], since: datetime, until: datetime
    ) -> pl.DataFrame:
        """The rows of a statement over the table's rows of a span, named ``rows`` in it.

        Those over rows that are not sealed come first, and then those over the others: whoever counts adds up
        both.
        """
        table = TABLES[name]

        def within(relation: str) -> tuple[str, Values]:
            rows = f"select * from ({relation}) where {table.time} >= ? and {table.time} < ?"
            return f"with rows as ({rows}) {statement}", [since, until, *values]

        return pl.concat(self._everywhere(table, within, since, until), how="vertical_relaxed")

    def _everywhere(
        self, table: Table, asked: Callable[[str], tuple[str, Values]], since: datetime, until: datetime
    ) -> list[pl.DataFrame]:
        """What is asked, of the rows that are not sealed and of all others with instants in a span."""
        with self.reader.database.snapshot(views=False) as looking:
            sealed = looking.sealed(table, "last >= ? and first < ?", (since, until))
            found = [self._frame(looking, *asked(_unsealed(table)), sealed=False)]
            return found if sealed is None else [*found, self._frame(looking, *asked(sealed), sealed=True)]

    def _frame(self, looking: Queries, statement: str, values: Values, *, sealed: bool) -> pl.DataFrame:
        if sealed:
            return self.remembered.frame(self.reader.under_way, looking, statement, values)
        return looking.frame(statement, values)

    def of_trails(self, name: str, trails: Sequence[str], since: datetime, until: datetime) -> pl.DataFrame:
        """All rows of some messages, of files that have instants within a span."""
        with self.reader.database.snapshot(views=False) as looking:
            relation = looking.relation(TABLES[name], "last >= ? and first < ?", (since, until))
            return looking.frame(
                f"select * from ({relation}) where trail_id in (select unnest(?::varchar[]))", [list(trails)]
            )

    def recent(self, name: str, columns: str, where: Where, limit: int) -> pl.DataFrame:
        """At most so many rows of all time, the newest first: for tables that stay small."""
        table = TABLES[name]
        with self.reader.database.snapshot(views=False) as looking:
            return looking.frame(
                f"select {columns} from ({looking.relation(table)}) where {where.sql()} "
                f"order by {table.time} desc limit {limit:d}",
                where.values,
            )


def _named(columns: str, name: str) -> bool:
    return columns == "*" or name in columns.split(", ")


def _unsealed(table: Table) -> str:
    columns = ", ".join(f'"{name}"' for name in table.names)
    return f"select {columns} from hot.{table.name}"


def _relations(looking: Queries, table: Table, since: datetime, until: datetime) -> Iterator[str]:
    """SQL for the rows that are not sealed, and for those of more and more days, the latest first."""
    yield _unsealed(table)
    days = looking.connection.execute(
        "select distinct day from own.manifest where name = ? and damage is null and last >= ? and first < ? "
        "order by day desc",
        [table.name, since, until],
    ).fetchall()
    at, count = 0, 1
    while at < len(days):
        some = [day for (day,) in days[at : at + count]]
        within = "day between ? and ? and last >= ? and first < ?"
        sealed = looking.sealed(table, within, (some[-1], some[0], since, until))
        if sealed is not None:
            yield sealed
        at, count = at + count, 2 * count
