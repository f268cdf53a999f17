"""A store that is asked by many machines at once: each looks through some of its sealed files.

What is asked, how lines are found and how tallies add up is the store's own (``store/search.py``,
``store/hours.py``); here is only what the executors do of it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from mailscope.cluster.committing import patiently
from mailscope.recognise.library import Library
from mailscope.store import manifest_log
from mailscope.store.asking import Asked
from mailscope.store.beside import Beside
from mailscope.store.database import Database, Queries
from mailscope.store.hours import Copied
from mailscope.store.names import Condition
from mailscope.store.reader import Reader
from mailscope.store.sealed import Sealed, SealedLines
from mailscope.store.search import Search
from mailscope.tallies import kept
from mailscope.tallies.ledger import Ledger
from mailscope.trails import story
from mailscope.trails.tracker import Outcome
from mailscope.vocabulary.bundles import packed
from mailscope.vocabulary.tables import Table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# So few files are looked through sooner here.
FEW: Final = 4
Looking = Callable[[SealedLines, list[Sealed]], Iterator[pl.DataFrame]]


class ClusterReader(Reader):
    """Answers from a store, found by the executors of a cluster."""

    spark: SparkSession

    @classmethod
    def at(cls, spark: SparkSession, directory: Path, library: Library, zone: ZoneInfo) -> ClusterReader:
        """A reader of the store in a directory.  Raises InputError or StoreError."""
        opened = patiently(lambda: Database(directory, read_only=True, views=False))
        found = cls(opened, library, zone)
        found.spark = spark
        return found

    def lines(self, asked: Asked) -> Iterator[pl.DataFrame]:
        """Lines in the order of each source."""
        if asked.about is None or "network" in asked.kinds:
            yield from super().lines(asked)
            return
        with self.database.snapshot(views=False) as looking:
            yield from _Search(looking, asked, spark=self.spark).lines()

    def tallies(self, since: datetime | None, until: datetime | None, *, by_time: bool = False) -> bytes:
        """The tallies of the whole hours of a span; days and hours are added up by the executors."""
        return _summed(self.spark, self.hours(since, until, by_time=by_time))

    def sql(self, statement: str, tables: Sequence[Table] | None = None) -> Iterator[pl.DataFrame]:
        """The rows of a reading statement in Spark SQL.  Raises UsageError for any other."""
        from mailscope.cluster.sql import answers

        with self.database.snapshot(views=False) as looking:
            yield from answers(self.spark, looking, statement)


class _Search(Search):
    """A search whose sealed files are looked through by the executors."""

    def __init__(self, database: Queries, asked: Asked, *, spark: SparkSession) -> None:
        self._spark = spark
        super().__init__(database, asked)

    def _sealed_lines(self) -> SealedLines:
        found = _Shared.of(self.database)
        found.spark = self._spark
        return found


class _Shared(SealedLines):
    """Sealed lines that are looked at in the executors; what comes back are the lines that were found."""

    spark: SparkSession

    def bearing(
        self, files: Iterable[Sealed], names: Mapping[str, Collection[str]]
    ) -> Iterator[pl.DataFrame]:
        """The lines of files that bear one of some names, which stand by column."""
        sought = {column: sorted(those) for column, those in names.items()}
        return self._in_executors(list(files), lambda lines, some: lines.bearing(some, sought))

    def beside(
        self, files: Iterable[Sealed], beside: Beside, columns: Sequence[str]
    ) -> Iterator[pl.DataFrame]:
        """Columns of the lines of files that meet the condition of those that stand beside others."""
        return self._in_executors(list(files), lambda lines, some: lines.beside(some, beside, columns))

    def matching(
        self, files: Iterable[Sealed], condition: Condition, where: str, values: list[Any]
    ) -> pl.DataFrame | None:
        """The lines of files that fit a condition, and another one in SQL; None where no file has any."""

        def look(lines: SealedLines, some: list[Sealed]) -> Iterator[pl.DataFrame]:
            found = lines.matching(some, condition, where, values)
            return iter(() if found is None else (found,))

        found = list(self._in_executors(list(files), look))
        return pl.concat(found, how="vertical_relaxed") if found else None

    def _in_executors(self, files: list[Sealed], look: Looking) -> Iterator[pl.DataFrame]:
        directory = str(self.database.directory)
        if len(files) <= FEW:
            yield from look(SealedLines(self.database, self.files, self._secret), files)
            return
        parts = max(1, min(len(files), 2 * self.spark.sparkContext.defaultParallelism))

        def task(some: Iterable[Sealed]) -> Iterable[bytes]:
            mine = list(some)
            return (packed(frame) for frame in look(_theirs(directory, mine), mine))

        for data in self.spark.sparkContext.parallelize(files, parts).mapPartitions(task).collect():
            yield pl.read_ipc(io.BytesIO(data))


def _theirs(directory: str, files: list[Sealed]) -> SealedLines:
    """The sealed lines of a store as an executor looks at them: by files, without the DuckDB file."""
    import duckdb

    told = manifest_log.read(Path(directory)).secret
    looking = Queries(duckdb.connect(":memory:"), Path(directory))
    looking.connection.execute("set timezone = 'UTC'")
    return SealedLines(looking, files, bytes.fromhex(told) if told else None)


def _summed(spark: SparkSession, copied: Copied) -> bytes:
    """The sum of days and hours, of which each executor adds up some."""
    count = max(1, 2 * spark.sparkContext.defaultParallelism)
    nothing = Outcome(**story.nothing())
    parts: list[Copied] = [
        replace(copied, days=copied.days[at::count], hours=copied.hours[at::count], ended=nothing)
        for at in range(count)
    ]
    # What is under way is added once.
    parts.append(replace(copied, days=[], hours=[]))
    parts = [part for part in parts if part.days or part.hours or part is parts[-1]]
    sums = spark.sparkContext.parallelize(parts, len(parts)).map(Copied.packed).collect()
    whole = Ledger(zone=copied.zone)
    for data in sums:
        whole.merge(kept.from_bytes(data, copied.zone))
    return kept.to_bytes(whole)
