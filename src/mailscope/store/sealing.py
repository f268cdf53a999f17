"""Rows of finished days leave the DuckDB file and become Parquet files, a bounded number of rows at a time.

A file is written beside its place, brought to the disk and renamed; then one transaction enters it in the
manifest and takes its rows out of the hot table.  A crash in between leaves a file that no manifest names: it
is removed when the store is opened next.  A day is sealed some time after it has ended; where so much comes
that the hot tables would grow large, also before.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mailscope.store import indexing
from mailscope.store.connecting import quoted
from mailscope.store.database import Database
from mailscope.store.in_order import ORDINARY, in_order, weight
from mailscope.store.index import place_of
from mailscope.store.keeping import Keeping
from mailscope.store.places import sync_directory
from mailscope.vocabulary.tables import EVENTS, TABLES, Table

if TYPE_CHECKING:
    import duckdb

# As many rows as can be sealed between two batches; fewer where lines are long (``in_order.weight``).
SLICE_ROWS: Final = 122_880
# Rows that Parquet packs together: of those that are not asked for, so many are unpacked with one that is.
GROUP_ROWS: Final = 20_480
# Which are packed a vector at a time.
VECTOR_ROWS: Final = 2_048
# Of a table, more rows than these do not stay hot, finished or not.
MOST_HOT_ROWS: Final = 1_000_000
# Late lines of a day have so long to come before it is sealed.
GRACE: Final = timedelta(hours=2)
SUFFIX: Final = ".parquet"
# Where the tallies of days are, beside the tables (``day_files.py``).
TALLIES: Final = "tallies"
BEGUN: Final = ".new"


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows of one table and day, by their instants (``until`` exclusive)."""

    table: Table
    day: date
    since: datetime
    until: datetime

    def where(self) -> str:
        """Which rows these are; only those that do not change any more."""
        time = self.table.time
        span = f"{time} >= timestamp '{self.since}' and {time} < timestamp '{self.until}'"
        return f"{span} and {self.table.settled}" if self.table.settled else span


def next_slice(database: Database, now: datetime) -> Slice | None:
    """What is to be sealed next (``now`` is naive UTC); None where all that may be sealed is."""
    midnight = datetime.combine((now - GRACE).date(), datetime.min.time())
    for table in TABLES.values():
        time, extra = table.time, f" and {table.settled}" if table.settled else ""
        source = f"hot.{table.name} where {time} is not null{extra}"
        before = midnight
        if int(database.value(f"select count(*) from {source}")) > MOST_HOT_ROWS:
            before = now - GRACE
        first = database.value(f"select min({time}) from {source} and {time} < ?", [before])
        if first is None:
            continue
        end = min(before, datetime.combine(first.date() + timedelta(days=1), datetime.min.time()))
        # Where the rows of so many seconds fill a slice, that is its end.
        whole, cut = database.connection.execute(
            "select max(total), max(second) filter (total <= ?) from (select second, sum(n) over (order by "
            f"second) as total from (select time_bucket(interval 1 second, {time}) as second, "
            f"sum({weight(table)}) as n from {source} and {time} < ? group by second))",
            [SLICE_ROWS, end],
        ).fetchall()[0]
        if whole > SLICE_ROWS:
            begin = first if cut is None else cut
            end = min(end, begin.replace(microsecond=0) + timedelta(seconds=1))
        return Slice(table, first.date(), first, end)
    return None


def seal(database: Database, part: Slice) -> str:
    """Seal a slice; gives its file, relative to the store."""
    number = int(database.about("segment") or 0) + 1
    place = f"{part.table.name}/day={part.day}/part-{number:06}{SUFFIX}"
    columns = ", ".join(f'"{name}"' for name in part.table.names)
    source = f"hot.{part.table.name} where {part.where()}"
    rows = f"select {columns} from {source}"
    entry = write_segment(database, rows, part.table, place, sort=True)
    with database.transaction():
        database.set_about("segment", str(number))
        enter(database, entry, part.table, part.day)
        database.connection.execute(f"delete from {source}")
        database.show(part.table)
    return place


@dataclass(frozen=True, slots=True)
class Segment:
    """A sealed file: its place in the store, rows, size, span and SHA-256."""

    path: str
    rows: int
    size: int
    first: datetime | None
    last: datetime | None
    checksum: str


def write_segment(database: Keeping, rows: str, table: Table, place: str, *, sort: bool = False) -> Segment:
    """Write the rows of a query to a file of the store, whole and on the disk before it has its name.

    They are written in the order of the query, or (``sort``) of their instants and batches.  Files of
    ``events`` get their index.
    """
    path = database.directory / place
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    begun = path.with_suffix(BEGUN)
    begun.unlink(missing_ok=True)
    try:
        whole = f"({rows})"
        groups = _group_rows(database.connection, whole, table)
        with in_order(database.connection, whole, table) if sort else nullcontext(whole) as source:
            segment = _written(database, source, table, place, begun, groups)
        if table is EVENTS:
            indexing.make(database, place, segment.checksum, database.secret())
        for directory in (path.parent, path.parent.parent, database.directory):
            sync_directory(directory)
        return segment
    except BaseException:
        # What a full disk has left of it would keep the disk full.
        begun.unlink(missing_ok=True)
        raise


def _group_rows(connection: duckdb.DuckDBPyConnection, rows: str, table: Table) -> int:
    """How many rows Parquet packs together: what is being packed is held in memory."""
    if weight(table) == ORDINARY:
        return GROUP_ROWS
    asked = f"select {GROUP_ROWS} * count(*) // greatest(sum({weight(table)}), 1) from {rows}"
    return max(VECTOR_ROWS, int(connection.execute(asked).fetchall()[0][0]))


def _written(
    database: Keeping, source: str, table: Table, place: str, begun: Path, group_rows: int
) -> Segment:
    form = f"format parquet, compression zstd, row_group_size {group_rows}"
    database.connection.execute(f"copy (from {source}) to {quoted(str(begun))} ({form})")
    checksum, size = sha256(begun)
    told = database.connection.execute(
        f"select count(*), min({table.time}), max({table.time}) from read_parquet({quoted(str(begun))})"
    ).fetchall()[0]
    descriptor = os.open(begun, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    path = begun.with_suffix(SUFFIX)
    begun.rename(path)
    return Segment(place, told[0], size, told[1], told[2], checksum)


def enter(database: Database, entry: Segment, table: Table, day: date) -> None:
    """Name a file in the manifest."""
    database.connection.execute(
        "insert into own.manifest values (?, ?, ?, ?, ?, ?, ?, ?, null)",
        [entry.path, table.name, day, entry.rows, entry.size, entry.first, entry.last, entry.checksum],
    )


def remove(database: Database, places: Iterable[str]) -> None:
    """Remove sealed files that the manifest does not name any more, with their indexes."""
    for place in places:
        path = database.directory / place
        path.unlink(missing_ok=True)
        place_of(path).unlink(missing_ok=True)


def sha256(path: Path) -> tuple[str, int]:
    """Checksum and size of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return digest.hexdigest(), file.tell()


def remove_strays(database: Database) -> list[str]:
    """Remove files that no manifest names: what a crash or a change left behind."""
    known = {path for (path,) in database.connection.execute("select path from own.manifest").fetchall()}
    known |= {place_of(Path(path)).as_posix() for path in known}
    removed = []
    for kind in (*TABLES, TALLIES):
        for path in sorted((database.directory / kind).glob("day=*/part-*")):
            name = path.relative_to(database.directory).as_posix()
            if name not in known:
                path.unlink()
                removed.append(name)
    return removed
