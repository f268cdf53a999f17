"""What a store holds of a person: which rows of which tables, in the database and in sealed files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from typing import Final

import polars as pl

from mailscope.privacy.person import Person
from mailscope.store.database import Queries
from mailscope.store.refusals import StoreError
from mailscope.vocabulary.fields import Field
from mailscope.vocabulary.tables import MESSAGES, TABLES, Table

ROWS_AT_ONCE: Final = 50_000
ROW: Final = "rowid"


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A file of the manifest."""

    path: str
    table: Table
    day: date


@dataclass
class Held:
    """Rows by table that name a person; the messages that are theirs; where the rows are.

    ``alone``: rows where a local part stands alone in a field, and nothing tells that the person is meant.
    """

    counts: Counter[str] = field(default_factory=Counter)
    trails: set[str] = field(default_factory=set)
    files: list[SealedFile] = field(default_factory=list)
    hot: list[Table] = field(default_factory=list)
    alone: int = 0

    def theirs(self, rows: pl.DataFrame) -> pl.Series | None:
        """Which rows are of messages that name the person."""
        if "trail_id" not in rows.columns or not self.trails:
            return None
        return rows["trail_id"].is_in(list(self.trails)).fill_null(False)


def find(database: Queries, person: Person) -> Held:
    """Look through all rows.  Raises StoreError where a file of the store cannot be read."""
    held = Held()
    # What is to be looked at again once it is known which messages are theirs.
    hot: list[Table] = []
    for table in TABLES.values():
        found = [_note(held, person, rows) for rows in hot_rows(database, table)]
        if any(found):
            hot.append(table)
    files = [file for file in sealed_files(database) if _note(held, person, sealed_rows(database, file))]
    for table in hot:
        if _count(held, person, table, hot_rows(database, table)):
            held.hot.append(table)
    for file in files:
        if _count(held, person, file.table, iter([sealed_rows(database, file)])):
            held.files.append(file)
    return held


def _note(held: Held, person: Person, rows: pl.DataFrame) -> bool:
    """Note the messages that rows tell of; whether there is anything to look at again."""
    named, alone = person.named(rows)
    if "trail_id" in rows.columns:
        held.trails.update(rows["trail_id"].filter(named).drop_nulls())
    return bool(named.any() or alone.any())


def _count(held: Held, person: Person, table: Table, pieces: Iterator[pl.DataFrame]) -> bool:
    count = 0
    for rows in pieces:
        _, changed = person.rows(rows, held.theirs(rows))
        count += int(changed.sum())
        held.alone += int((person.named(rows)[1] & ~changed).sum())
    if count:
        held.counts[table.name] += count
    return bool(count)


def rows_of(database: Queries, person: Person, held: Held, table: Table) -> pl.DataFrame:
    """The rows of a table that name a person, and the messages that they belong to, in order of time."""
    hot = (rows.drop(ROW) for rows in hot_rows(database, table, whole=True))
    sealed = (sealed_rows(database, file) for file in sealed_files(database) if file.table is table)
    found = [_theirs(person, held, table, rows) for rows in chain(hot, sealed)]
    whole = pl.concat(found, how="diagonal_relaxed") if found else pl.DataFrame()
    return whole.sort(table.time, nulls_last=False) if len(whole) else whole


def _theirs(person: Person, held: Held, table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    theirs = held.theirs(rows)
    _, mask = person.rows(rows, theirs)
    if table is MESSAGES and theirs is not None:
        mask = mask | theirs
    return rows.filter(mask)


def texts(table: Table) -> list[Field]:
    """The columns of a table that hold texts."""
    return [column for column in table.columns if column.kind == "str"]


def hot_rows(database: Queries, table: Table, *, whole: bool = False) -> Iterator[pl.DataFrame]:
    """The rows that are not sealed, some at a time: their number and texts, or ``whole``."""
    columns = ", ".join(f'"{column.name}"' for column in (table.columns if whole else texts(table)))
    found = database.connection.sql(f"select {ROW}, {columns} from hot.{table.name}")
    for batch in found.to_arrow_reader(ROWS_AT_ONCE):
        frame = pl.from_arrow(batch)
        assert isinstance(frame, pl.DataFrame)
        yield frame


def sealed_files(database: Queries) -> list[SealedFile]:
    """The files of the manifest, also those that were set aside as damaged, but for such that are gone."""
    rows = database.connection.execute(
        "select path, name, day, damage from own.manifest order by path"
    ).fetchall()
    return [
        SealedFile(path, TABLES[name], day)
        for path, name, day, damage in rows
        if name in TABLES and (damage is None or (database.directory / path).exists())
    ]


def sealed_rows(database: Queries, file: SealedFile) -> pl.DataFrame:
    """All rows of a sealed file.  Raises StoreError for one that cannot be read."""
    path = database.directory / file.path
    try:
        return pl.read_parquet(path, hive_partitioning=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        words = " ".join(str(error).split())[:200]
        raise StoreError(
            f"it cannot be read, so it cannot be told whom it names ({words})",
            str(path),
            "put it back from a backup; or remove it and run 'mailscope store verify --set-aside'",
        ) from error
