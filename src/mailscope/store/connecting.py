"""Connections to the DuckDB file.

The file is attached to a database in memory rather than opened by itself: only then can it be said how many
rows are written as one group.  Each checkpoint writes the last group of a table anew, all its columns; with
DuckDB's own 122,880 rows that stopped a writer for seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import duckdb
    import polars as pl

NAME: Final = "store"
GROUP_ROWS: Final = 20_480
LOG: Final = ".wal"
# Under which name a connection sees what it is given.
GIVEN: Final = "new_rows"


def connected(path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection to a file, which is made where there is none.  Raises duckdb.Error.

    All connections of a process to one file share it, and its settings.
    """
    import duckdb

    connection = duckdb.connect(f":memory:{path}")
    try:
        known = _attached(connection)
        if known is None:
            options = f"row_group_size {GROUP_ROWS}" + (", read_only" if read_only else "")
            connection.execute(f"attach {quoted(str(path))} as {NAME} ({options})")
        elif known and not read_only:
            raise duckdb.ConnectionException(f"{path} is open in this process, only to be read")
        connection.execute(f"use {NAME}")
    except BaseException:
        connection.close()
        raise
    return connection


def another(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Another connection to the same file, as each thread that asks needs one; instants are UTC."""
    cursor = connection.cursor()
    # Where the file cannot be read, there are only views of the sealed ones, in memory.
    if _attached(cursor) is not None:
        cursor.execute(f"use {NAME}")
    cursor.execute("set timezone = 'UTC'")
    return cursor


def _attached(connection: duckdb.DuckDBPyConnection) -> bool | None:
    """Whether the file is only read; None where it is not there."""
    found = connection.execute(
        "select readonly from duckdb_databases() where database_name = ?", [NAME]
    ).fetchall()
    return bool(found[0][0]) if found else None


@contextmanager
def given(connection: duckdb.DuckDBPyConnection, rows: pl.DataFrame) -> Iterator[None]:
    """Rows that a connection sees as ``new_rows`` meanwhile."""
    import duckdb
    import polars as pl
    import polars.selectors as cs

    # DuckDB knows no column of no kind (nothing but nulls).
    connection.register(GIVEN, _Stream(rows.with_columns(cs.by_dtype(pl.Null).cast(pl.String))))
    try:
        yield
    except BaseException:
        # In a transaction that is broken even this fails, which must not hide why it is.
        with suppress(duckdb.Error):
            connection.unregister(GIVEN)
        raise
    connection.unregister(GIVEN)


@dataclass(frozen=True, slots=True)
class _Stream:
    """A frame that shows nothing but its columns where they are (Arrow's PyCapsule interface).

    Given the frame itself, DuckDB has pyarrow make a table of it first: slower, and 45 MB for that library.
    """

    frame: pl.DataFrame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.frame.__arrow_c_stream__(requested_schema)


def log_of(path: Path) -> Path:
    """DuckDB's log beside a file: what is written stands there until a checkpoint brings it into the file."""
    return path.with_name(path.name + LOG)


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
