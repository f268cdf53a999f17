"""What can still be read of a damaged DuckDB file, table by table, and a piece of rows at a time.

DuckDB keeps a checksum of each block, so that what is read is as it was written.  Where the log beside the
file (.wal) is damaged, the file is read without it, as it was at its last checkpoint.  The file is only read.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from mailscope.store.connecting import given, log_of
from mailscope.store.database import MEMORY_MB, Database
from mailscope.store.places import NEW
from mailscope.store.probing import read_values, use_index

if TYPE_CHECKING:
    import duckdb

# A row group of DuckDB: what is damaged in one is lost with no more rows than these.
PIECE_ROWS: Final = 122_880


@dataclass
class Wreck:
    """A damaged file; ``tables``: those it has; ``lost``: why some cannot be read whole.

    ``without_log``: the log beside it could not be used.
    """

    path: Path | None
    tables: set[str] = field(default_factory=set)
    lost: dict[str, str] = field(default_factory=dict)
    without_log: bool = False
    why: str = ""

    def whole(self, *tables: str) -> bool:
        """Whether tables are there and can be read whole."""
        return all(table in self.tables and table not in self.lost for table in tables)

    def copy(self, table: str, target: Database, into: str, columns: Sequence[str] = ()) -> int:
        """Copy what can be read of a table into one of another store; how many rows were left behind.

        ``columns``: only these, where others are damaged; else all that both have.
        """
        if table not in self.tables or self.path is None:
            return 0
        names = [name for name in columns or self._columns(table) if name in _columns(target, into)]
        listed = ", ".join(f'"{name}"' for name in names)
        if not names:
            return 0
        first, end = self._span(table)
        left = 0
        for begin in range(first, end, PIECE_ROWS):
            where = f"from {table} where rowid >= {begin} and rowid < {begin + PIECE_ROWS}"
            try:
                self._piece(f"select {listed} {where}", target, into, listed)
            except _errors():
                left += min(PIECE_ROWS, end - begin)
        return left

    def _piece(self, statement: str, target: Database, into: str, listed: str) -> None:
        with self.connection() as old:
            rows = pl.DataFrame(old.sql(statement).materialize())
        with given(target.connection, rows), target.transaction():
            target.connection.execute(f"insert into {into} ({listed}) select {listed} from new_rows")

    def _columns(self, table: str) -> list[str]:
        with self.connection() as old:
            return [name for name, *_ in old.execute(f"describe {table}").fetchall()]

    def _span(self, table: str) -> tuple[int, int]:
        """The first number of a row, and the one after the last."""
        with self.connection() as old:
            first, last = old.execute(f"select min(rowid), max(rowid) from {table}").fetchall()[0]
        return (0, 0) if last is None else (first - first % PIECE_ROWS, last + 1)

    @contextmanager
    def connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The file, opened to be read: anew each time, as an error makes a connection useless."""
        import duckdb

        assert self.path is not None
        with duckdb.connect(str(self.path), read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            connection.execute(f"set memory_limit = '{MEMORY_MB}MB'")
            connection.execute("set threads = 2")
            yield connection


@contextmanager
def examined(path: Path | None) -> Iterator[Wreck]:
    """Look through a file (None: there is none)."""
    if path is None:
        yield Wreck(None, why="it is gone")
        return
    wreck = Wreck(path)
    aside = path.with_name(f"salvage{NEW}")
    try:
        _look(wreck)
        wal = log_of(path)
        if wreck.why and wal.exists():
            wreck = Wreck(_linked(path, aside), without_log=True, why="")
            _look(wreck)
        yield wreck
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _linked(path: Path, directory: Path) -> Path:
    """The same file in another directory, where no log is beside it."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o700)
    other = directory / path.name
    try:
        os.link(path, other)
    except OSError:
        # Not every file system has links.
        shutil.copyfile(path, other)
    return other


def _look(wreck: Wreck) -> None:
    """Find what can be read."""
    try:
        with wreck.connection() as old:
            found = old.execute(
                "select schema_name || '.' || table_name from duckdb_tables() "
                "where schema_name in ('hot', 'own')"
            ).fetchall()
    except _errors() as error:
        wreck.why = _words(error)
        return
    wreck.tables = {name for (name,) in found}
    for table in sorted(wreck.tables):
        try:
            with wreck.connection() as old:
                read_values(old, table)
        except _errors() as error:
            wreck.lost[table] = _words(error)
            continue
        try:
            with wreck.connection() as old:
                use_index(old, table)
        except _errors() as error:
            # Copied row by row, it is whole.
            wreck.lost[f"index of {table}"] = _words(error)


def _columns(target: Database, table: str) -> set[str]:
    return {name for name, *_ in target.connection.execute(f"describe {table}").fetchall()}


def _errors() -> tuple[type[Exception], ...]:
    import duckdb

    return (duckdb.Error, OSError)


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
