"""Stored lines followed once more from the first, to make anew what followed from them.

In: lines of sealed files, and rows of ``salvaged.events`` that are in none of them.  Out: hot rows of all
tables that no sealed file has, tallies by the hour, and what is under way.  Tallies made so lack blank lines
and those that were met twice, of which the store keeps nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from mailscope.store import stored
from mailscope.store.connecting import another
from mailscope.store.database import Database
from mailscope.store.writer import Writer
from mailscope.vocabulary.tables import DELIVERIES, EVENTS, LINKS, MESSAGES, SESSIONS, Table

SALVAGED: Final = "salvaged.events"
ROWS_AT_ONCE: Final = 50_000
HOUR: Final = timedelta(hours=1)
# What a row is known by, of tables whose rows follow from lines.
KEYS: Final[dict[Table, tuple[str, ...]]] = {
    MESSAGES: ("trail_id",),
    DELIVERIES: ("time", "trail_id", "recipient", "status"),
    SESSIONS: ("start_time", "end_time", "host", "kind", "pid", "client_ip", "client_port", "queue_ids"),
    LINKS: ("time", "trail_id", "trail_id_to", "kind"),
}
LINE: Final = ("batch", "time", "source", "line_number", "raw")


class Again(Writer):
    """A writer; while ``sealed``, the lines themselves are not stored, only what follows from them."""

    sealed = False

    def _insert(self, table: str, rows: pl.DataFrame, number: int) -> None:
        if not (self.sealed and table == EVENTS.name):
            super()._insert(table, rows, number)


def follow_again(writer: Again, watch: Callable[[int], None]) -> int:
    """Follow all lines, an hour at a time; how many there were.  ``watch`` is told that number meanwhile."""
    database = writer.database
    sets = dict(database.connection.execute("select source, set_id from own.sources").fetchall())
    done = 0
    for hour in _hours(database):
        for sealed in (True, False):
            writer.sealed = sealed
            for rows in _lines(database, hour, sealed=sealed):
                for batch in stored.relived(rows, writer.engine, sets):
                    writer.write(batch, {}, {})
                    writer.settle()
                done += len(rows)
                watch(done)
    writer.sealed = False
    _prune(database)
    writer.checkpoint()
    return done


def without_sealed(database: Database) -> None:
    """Take out of the salvaged lines those that are sealed."""
    first = database.value(f"select min(time) from {SALVAGED}")
    _delete(database, SALVAGED, EVENTS, LINE, first)


def _prune(database: Database) -> None:
    """Take out what sealed files have; only once, as rows may be alike."""
    for table, key in KEYS.items():
        first = database.value(f"select min({table.time}) from hot.{table.name}")
        _delete(database, f"hot.{table.name}", table, key, first)


def _delete(
    database: Database, name: str, table: Table, key: tuple[str, ...], first: datetime | None
) -> None:
    sealed = None if first is None else database.sealed(table, "last >= ?", (first,))
    if sealed is None:
        return
    listed = ", ".join(f'"{column}"' for column in key)
    same = " and ".join(f'mine."{column}" is not distinct from theirs."{column}"' for column in key)
    mine = f"select rowid as row, {listed}, row_number() over (partition by {listed}) as n from {name}"
    theirs = f"select {listed}, count(*) as n from ({sealed}) group by {listed}"
    with database.transaction():
        # Rows may be alike: as many go as are sealed.
        database.connection.execute(
            f"delete from {name} where rowid in (select mine.row from ({mine}) as mine "
            f"join ({theirs}) as theirs on {same} and mine.n <= theirs.n)"
        )


def _hours(database: Database) -> list[datetime | None]:
    """The hours that have lines, in order; None for lines without an instant."""
    sealed = database.sealed(EVENTS)
    both = f"select time from {SALVAGED}" + (
        "" if sealed is None else f" union all select time from ({sealed})"
    )
    rows = database.connection.execute(
        f"select distinct time_bucket(interval 1 hour, time) as hour from ({both}) order by hour nulls first"
    ).fetchall()
    return [hour for (hour,) in rows]


def _lines(database: Database, hour: datetime | None, *, sealed: bool) -> Iterator[pl.DataFrame]:
    """The lines of an hour, some at a time, each such piece as one batch."""
    where, values = "time is null", []
    if hour is not None:
        where, values = "time >= ? and time < ?", [hour, hour + HOUR]
    source: str | None = SALVAGED
    if sealed:
        files = ("last >= ? and first < ?", tuple(values)) if values else ("true", ())
        found = database.sealed(EVENTS, *files)
        source = None if found is None else f"({found})"
    if source is None:
        return
    columns = ", ".join(stored.COLUMNS)
    looking = another(database.connection)
    try:
        answer = looking.sql(
            f"select {columns} from {source} where {where} order by time, batch, line_number", params=values
        )
        for batch in answer.to_arrow_reader(ROWS_AT_ONCE):
            rows = pl.from_arrow(batch)
            assert isinstance(rows, pl.DataFrame)
            if len(rows):
                yield rows.with_columns(pl.lit(0, pl.Int64).alias("batch"))
    finally:
        looking.close()
