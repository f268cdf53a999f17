"""Few large files of many small ones: each run leaves some of each day, and readers open them all.

The segments of a table's day are put together until a file holds what one machine seals at once.  Executors
write the new ones beside the store; then one transaction names them in the manifest instead of the old ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailscope.cluster.committing import ConflictError, enter_segments, moved, store, tried
from mailscope.cluster.rows import results
from mailscope.cluster.setup import Setup, secret
from mailscope.cluster.staging import Staging
from mailscope.store.connecting import quoted
from mailscope.store.database import Database
from mailscope.store.sealing import SLICE_ROWS, remove
from mailscope.store.upkeep import SMALL_ROWS
from mailscope.vocabulary.tables import TABLES

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Pile:
    """Segments of one table and day that become one."""

    table: str
    day: str
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Compacted:
    """How many files became how many."""

    before: int
    after: int


def compact(spark: SparkSession, setup: Setup) -> Compacted:
    """Make few files of many, in all days.

    Raises MailscopeError where other jobs changed the same files each time.
    """
    return tried(Path(setup.output), lambda begun: _run(spark, replace(setup, run=begun.run)))


def _run(spark: SparkSession, setup: Setup) -> Compacted:
    output = Path(setup.output)
    with store(output) as database:
        found = list(piles(database))
    if not found:
        return Compacted(0, 0)
    rows = spark.sparkContext.parallelize(found, len(found)).map(lambda pile: piled(setup, pile)).collect()
    with store(output) as database:
        _replace(database, found, rows)
    return Compacted(sum(len(pile.paths) for pile in found), len(found))


def piles(database: Database) -> Iterator[Pile]:
    """The small segments that can be put together, oldest first."""
    for name in TABLES:
        rows = database.connection.execute(
            "select day, path, row_count from own.manifest where name = ? and damage is null "
            "and row_count < ? order by day, first, path",
            [name, SMALL_ROWS],
        ).fetchall()
        day, filled = None, 0
        paths: list[str] = []
        for each, path, count in [*rows, (None, "", 0)]:
            if each != day or filled + count > SLICE_ROWS:
                if len(paths) > 1:
                    yield Pile(name, str(day), tuple(paths))
                day, paths, filled = each, [], 0
            paths.append(path)
            filled += count


def piled(setup: Setup, pile: Pile) -> dict[str, object]:
    """Write a pile as one segment, in an executor; a row of RESULTS."""
    table = TABLES[pile.table]
    staging = Staging(setup.staging, secret(setup), setup.run)
    listed = ", ".join(quoted(str(Path(setup.output) / path)) for path in pile.paths)
    rows = f"select * from read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
    staging.write(table, pile.day, rows, sort=True)
    return staging.close()[0]


def _replace(database: Database, found: list[Pile], rows: list[dict[str, Any]]) -> None:
    old = [path for pile in found for path in pile.paths]
    theirs = "path in (select unnest(?::varchar[]))"
    there = database.value(f"select count(*) from own.manifest where damage is null and {theirs}", [old])
    if int(there) != len(old):
        # As where a person was erased meanwhile.
        raise ConflictError
    entered = moved(database, results(rows))
    with database.transaction():
        database.connection.execute(f"delete from own.manifest where {theirs}", [old])
        enter_segments(database, entered)
    remove(database, old)
