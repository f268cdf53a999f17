"""Keeping the store in order: what is too old goes, small files become one, damage is found and set aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from mailscope.store import audit, days, indexing
from mailscope.store.connecting import quoted
from mailscope.store.database import Database, Queries
from mailscope.store.days import NAMELESS
from mailscope.store.probing import read_values, use_index
from mailscope.store.sealing import SLICE_ROWS, enter, remove, sha256, write_segment
from mailscope.tallies import kept
from mailscope.tallies.ledger import Ledger
from mailscope.vocabulary.tables import TABLES, Table

HOURS: Final = "hours"
# Before when tallies name nobody, and what persons looked up is forgotten.
NAMES: Final = "names"
AUDIT: Final = "audit"
# A file of fewer rows is joined with others of its day.
SMALL_ROWS: Final = SLICE_ROWS // 2


class Step(NamedTuple):
    """One piece of upkeep that is done: a sealed file, a day's tallies, an index, a table's day."""

    kind: Literal["file", "tallies", "index", "day"]
    place: str = ""


@dataclass(frozen=True, slots=True)
class Damage:
    """Something of the store that is not as it should be.

    ``index``: only an index, without which its file is looked through; nothing is lost by it.
    """

    place: str
    what: str
    index: bool = False


def expire(database: Database, before: Mapping[str, datetime]) -> int:
    """Forget rows older than some instants (naive UTC); how many files went.

    The instants stand by table, or ``hours`` for tallies, ``names`` for the names in them, ``audit`` for who
    looked at whose data.  A sealed file goes when its last row is too old.
    """
    gone: list[str] = []
    run = database.connection.execute
    if AUDIT in before:
        audit.trim(database.directory, before[AUDIT])
    if NAMES in before:
        forget_names(database, before[NAMES])
    with database.transaction():
        for name, limit in before.items():
            if name in (NAMES, AUDIT):
                continue
            if name == HOURS:
                run("delete from own.hours where hour < ?", [limit])
                gone += [day.path for day in days.expire(database, limit)]
                continue
            table = TABLES[name]
            paths = run("select path from own.manifest where name = ? and last < ?", [name, limit]).fetchall()
            run("delete from own.manifest where name = ? and last < ?", [name, limit])
            run(f"delete from hot.{name} where {table.time} < ?", [limit])
            if paths:
                gone += [path for (path,) in paths]
                database.show(table)
    remove(database, gone)
    return len(gone)


def forget_names(database: Database, before: datetime) -> int:
    """Reduce the tallies of hours that began before an instant to those that name nobody; how many hours.

    Each hour is a transaction of its own, so that little is in memory.
    """
    run = database.connection.execute
    named = run(
        "select distinct hour from own.hours where hour < ? and batch <> ? order by hour", [before, NAMELESS]
    ).fetchall()
    for (hour,) in named:
        with database.transaction():
            whole = Ledger(zone=days.untold(database, ZoneInfo("UTC")))
            for (data,) in run("select data from own.hours where hour = ? order by batch", [hour]).fetchall():
                whole.merge(kept.from_bytes(bytes(data), whole.zone, hour=hour))
            run("delete from own.hours where hour = ?", [hour])
            run("insert into own.hours values (?, ?, ?)", [hour, NAMELESS, kept.to_bytes(whole.nameless())])
    return len(named) + days.forget_names(database, before)


def compact(database: Database, table: Table, day: date) -> bool:
    """Make one file of the small ones of a table's day; whether there were several."""
    found = database.connection.execute(
        "select path from own.manifest where name = ? and day = ? and row_count < ? and damage is null",
        [table.name, day, SMALL_ROWS],
    ).fetchall()
    if len(found) < 2:
        return False
    paths = [path for (path,) in found]
    listed = ", ".join(map(database.file, paths))
    number = int(database.about("segment") or 0) + 1
    place = f"{table.name}/day={day}/part-{number:06}.parquet"
    rows = f"select * from read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
    entry = write_segment(database, rows, table, place, sort=True)
    with database.transaction():
        database.set_about("segment", str(number))
        named = ", ".join(map(quoted, paths))
        database.connection.execute(f"delete from own.manifest where path in ({named})")
        enter(database, entry, table, day)
        database.show(table)
    remove(database, paths)
    return True


def check(database: Queries, *, thorough: bool) -> list[Damage]:
    """What is wrong with sealed files: missing, of another size or, ``thorough``, of other contents.

    With the latter, also indexes that are damaged.
    """
    import duckdb

    found = []
    rows = database.connection.execute(
        "select path, name, row_count, bytes, checksum from own.manifest order by path"
    ).fetchall()
    for path, name, count, size, checksum in rows:
        there = database.size(path)
        if there is None:
            found.append(Damage(path, "it is missing"))
        elif there != size:
            found.append(Damage(path, f"it has {there} bytes instead of {size}"))
        elif thorough and sha256(database.directory / path)[0] != checksum:
            found.append(Damage(path, "its contents were changed"))
        elif thorough:
            try:
                rows_there = database.value(f"select count(*) from read_parquet({database.file(path)})")
            except duckdb.Error as error:
                found.append(Damage(path, f"it cannot be read ({str(error)[:200]})"))
                continue
            if rows_there != count:
                found.append(Damage(path, f"it has {rows_there} rows instead of {count} of {name}"))
    if thorough:
        found += [Damage(place, what, index=True) for place, what in indexing.damaged(database)]
        found += unreadable(database)
    return found


def unreadable(database: Queries) -> list[Damage]:
    """Tables of the database that cannot be read whole."""
    import duckdb

    found = []
    tables = database.connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables() where schema_name in ('hot', 'own') "
        "order by 1"
    ).fetchall()
    for (name,) in tables:
        try:
            read_values(database.connection, name)
            use_index(database.connection, name)
        except duckdb.Error as error:
            found.append(Damage(name, f"it cannot be read ({' '.join(str(error).split())[:200]})"))
    return found


def set_aside(database: Database, damages: list[Damage]) -> None:
    """Leave damaged files out of what is read, so that the rest can be; those that are whole are taken in.

    Indexes are made anew.
    """
    with database.transaction():
        database.connection.execute("update own.manifest set damage = null where damage is not null")
        for damage in damages:
            database.connection.execute(
                "update own.manifest set damage = ? where path = ?", [damage.what, damage.place]
            )
        for table in TABLES.values():
            database.show(table)
    indexing.remove(database, [damage.place for damage in damages if damage.index])
    while indexing.make_next(database):
        pass
