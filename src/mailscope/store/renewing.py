"""The database in a new file, which holds nothing but its rows.

DuckDB keeps what was deleted in blocks that are free, until they are used again.  Copied row by row into a
new file, which then takes the old one's place in one step, the store is the same and the rest is gone.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mailscope.store.connecting import GROUP_ROWS, log_of, quoted
from mailscope.store.database import FILE, MEMORY_MB, Database
from mailscope.store.places import NEW, replace
from mailscope.store.refusals import StoreError
from mailscope.vocabulary.errors import OutputError

if TYPE_CHECKING:
    import duckdb

SPILL: Final = "spill"


def renew(directory: Path) -> None:
    """Make the file anew.  Nobody may have the store open.  Raises StoreError or OutputError.

    Whenever it is broken off, the old file or the new one is there, whole.
    """
    import duckdb

    path = directory / FILE
    begun = path.with_name(FILE + NEW)
    _written_out(directory)
    try:
        connection = duckdb.connect(":memory:")
        try:
            _copy(connection, path, begun)
            # Still attached: nobody can have begun to write the old file meanwhile.
            replace(begun, path)
        finally:
            connection.close()
    except duckdb.Error as error:
        words = " ".join(str(error).split())[:300]
        raise StoreError(f"it could not be written anew ({words})", str(path), "run it again") from error
    except OSError as error:
        raise OutputError.from_os_error(error, begun) from error
    finally:
        remove_begun(directory)


def _written_out(directory: Path) -> None:
    """See that all stands in the file itself, and nothing in the log beside it."""
    database = Database(directory)
    try:
        database.connection.execute("checkpoint")
        # What a crash left of rows that did not fit into memory; nobody else has the store open now.
        for path in (directory / SPILL).glob("*"):
            path.unlink()
    finally:
        database.close()
    if log_of(directory / FILE).exists():
        raise StoreError("its log could not be written out", str(directory / FILE), "run it again")


def _copy(connection: duckdb.DuckDBPyConnection, path: Path, begun: Path) -> None:
    run = connection.execute
    for stale in (begun, log_of(begun)):
        stale.unlink(missing_ok=True)
    run(f"set memory_limit = '{MEMORY_MB}MB'")
    run("set threads = 2")
    run(f"set temp_directory = {quoted(str(path.with_name(SPILL + NEW)))}")
    run(f"attach {quoted(str(path))} as old (read_only)")
    if log_of(path).exists():
        raise StoreError("another process has it open", str(path), "stop it first")
    run(f"attach {quoted(str(begun))} as fresh (row_group_size {GROUP_ROWS})")
    run("copy from database old to fresh")
    tables = run(
        "select schema_name, table_name from duckdb_tables() where database_name = 'old' and not internal"
    ).fetchall()
    for schema, table in tables:
        before, after = (
            run(f"select count(*) from {place}.{schema}.{table}").fetchall() for place in ("old", "fresh")
        )
        if before != after:
            raise StoreError(f"{schema}.{table} was not copied whole", str(path), "run it again")
    run("checkpoint fresh")
    run("detach fresh")


def remove_begun(directory: Path) -> None:
    """Remove what is unfinished."""
    for path in directory.glob(f"*{NEW}*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
