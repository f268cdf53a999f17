"""The DuckDB file of the store: opening it, its version, transactions, and the views that people read.

    STORE/mailscope.duckdb                         today's rows, the state of what is under way, the manifest
    STORE/TABLE/day=YYYY-MM-DD/part-NNNNNN.parquet finished days

One process owns the file while it writes.  ``hot.TABLE`` holds rows that are not sealed; the view ``TABLE``
shows them with those of the sealed files that the manifest names, never with whatever lies in the
directories.  Whoever asks sees both as they were at one moment, so that no row is there
twice or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from mailscope.store import schema
from mailscope.store.connecting import another, connected, log_of, quoted
from mailscope.store.manifest_log import ManifestLog, agree
from mailscope.store.refusals import (
    NO_ROOM,
    REBUILD,
    DamagedError,
    StoreError,
    not_permitted,
    refuse_other_owner,
    unreadable,
    unusable,
)
from mailscope.store.schema import VERSION
from mailscope.store.write_ahead import WriteAhead
from mailscope.vocabulary.errors import InputError
from mailscope.vocabulary.tables import TABLES, Table

if TYPE_CHECKING:
    import duckdb

FILE: Final = "mailscope.duckdb"
# The oldest version that can be read as it is; it is written only after it was brought up to date.
READABLE: Final = 1
MEMORY_MB: Final = 160


class Queries:
    """What can be asked over one connection to the store in a directory."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, directory: Path) -> None:
        self.connection = connection
        self.directory = directory

    def show(self, table: Table) -> None:
        """Make the view of a table: rows that are not sealed, and those of sealed files."""
        # Of this connection only: a store that is copied or moved has its files elsewhere.
        self.connection.execute(f"create or replace temp view {table.name} as {self.relation(table)}")

    def relation(self, table: Table, where: str = "true", values: tuple[object, ...] = ()) -> str:
        """SQL for all rows of a table; ``where``: which files of the manifest (and its values).

        A file that is missing or has another size than it had is left out, so that the rest can be read:
        ``upkeep.check`` tells of it, and those who answer say so.
        """
        columns = ", ".join(f'"{name}"' for name in table.names)
        hot = f"select {columns} from hot.{table.name}"
        sealed = self.sealed(table, where, values)
        return hot if sealed is None else f"{hot} union all by name ({sealed})"

    def sealed(self, table: Table, where: str = "true", values: tuple[object, ...] = ()) -> str | None:
        """The same for rows of sealed files only; None where there is no such file."""
        paths = self.connection.execute(
            f"select path, bytes from own.manifest where name = ? and damage is null and {where} "
            "order by path",
            [table.name, *values],
        ).fetchall()
        listed = ", ".join(self.file(path) for path, size in paths if self.size(path) == size)
        if not listed:
            return None
        # Files may be older than columns of the table.
        columns = ", ".join(f'"{name}"' for name in table.names)
        empty = f"select {columns} from hot.{table.name} where false"
        sealed = f"select * from read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
        return f"{empty} union all by name {sealed}"

    def span(self, table: Table) -> tuple[datetime | None, datetime | None]:
        """The first and last instant of a table's rows; of sealed ones the manifest tells."""
        first, last = self.connection.execute(
            f"select min(first), max(last) from (select min({table.time}) as first, max({table.time}) as "
            f"last from hot.{table.name} union all select first, last from own.manifest where name = ? and "
            "damage is null)",
            [table.name],
        ).fetchall()[0]
        return first, last

    def file(self, path: str) -> str:
        """A sealed file, as SQL names it."""
        return quoted(str(self.directory / path))

    def size(self, path: str) -> int | None:
        """Bytes of a sealed file; None where it is missing."""
        try:
            return (self.directory / path).stat().st_size
        except FileNotFoundError:
            return None

    def value(self, statement: str, values: list[Any] | None = None) -> Any:
        """The first value of the first row; None where there is none."""
        # Fetched whole: a result that is not blocks the connection.
        rows = self.connection.execute(statement, values or []).fetchall()
        return rows[0][0] if rows else None

    def frame(self, statement: str, values: Sequence[Any] = ()) -> pl.DataFrame:
        """All rows of an answer as a frame."""
        import duckdb

        try:
            # What fails does so here, as DuckDB says it; the frame takes the rows over from it by itself.
            return pl.DataFrame(self.connection.sql(statement, params=list(values)).materialize())
        except duckdb.IOException as error:
            # As where the contents of a file were changed.
            raise unreadable(error, self.directory) from error

    def has(self, name: str) -> bool:
        """Whether there is a table of the store's own: one of an older version, only read, may lack some."""
        known = "select count(*) from duckdb_tables() where schema_name = 'own' and table_name = ?"
        return bool(self.value(known, [name]))

    def about(self, name: str) -> str | None:
        """What the store says of itself."""
        value = self.value("select value from own.about where name = ?", [name])
        return None if value is None else str(value)


class Database(Queries):
    """The open DuckDB file.

    ``read_only``: for those who look while no daemon runs; ``views``: see ``snapshot``.  Raises StoreError
    where another process has it, InputError where there is none (read only).
    """

    def __init__(
        self,
        directory: Path,
        *,
        read_only: bool = False,
        memory_mb: int = MEMORY_MB,
        views: bool = True,
        name: str = FILE,
    ) -> None:
        import duckdb

        directory = directory.absolute()
        # What keeps most of the store from being read; empty where nothing does.
        self.damage = ""
        # How an older store was changed when it was opened, for whoever opened it to say.
        self.brought_up: list[str] = []
        self.read_only = read_only
        path = self.path = directory / name
        self.write_ahead = WriteAhead(path)
        made = not read_only and not path.exists()
        try:
            if not path.is_file():
                _refuse_bereft(directory, name)
            if read_only and not path.is_file():
                raise InputError(
                    "there is no store", str(directory), "load logs with 'mailscope ingest FILES'"
                )
            if not read_only:
                directory.mkdir(mode=0o750, parents=True, exist_ok=True)
                refuse_other_owner(directory)
            super().__init__(connected(path, read_only=read_only), directory)
        except PermissionError as error:
            raise not_permitted(path) from error
        except OSError as error:
            raise InputError.from_os_error(error, path) from error
        except duckdb.Error as error:
            _discard_begun(error, path, made=made)
            raise unusable(error, path) from error
        self._identity = _identity(path)
        # One that is being made anew is not in force yet.
        self._log = None if read_only or name != FILE else ManifestLog(directory)
        try:
            self._set_up(memory_mb)
            for table in TABLES.values() if views else ():
                self.show(table)
        except duckdb.Error as error:
            self.connection.close()
            _discard_begun(error, path, made=made)
            raise unusable(error, path) from error
        except BaseException:
            self.connection.close()
            raise

    @contextmanager
    def snapshot(self, *, views: bool | Sequence[Table] = True) -> Iterator[Queries]:
        """Another connection, which sees the store as it is now, whatever is written or sealed meanwhile.

        Each thread that asks needs one of its own.  ``views``: with the views that people read, or those of
        some tables; every sealed file of them is opened for it.
        """
        cursor = another(self.connection)
        try:
            cursor.execute("begin transaction")
            looking = Queries(cursor, self.directory)
            wanted = () if views is False else TABLES.values() if views is True else views
            for table in wanted:
                looking.show(table)
            yield looking
        finally:
            # Also ends the transaction, in which nothing was written.
            cursor.close()

    def _set_up(self, memory_mb: int) -> None:
        run = self.connection.execute
        run("set timezone = 'UTC'")
        # Within one process, connections to a file share its settings, and these are final.
        if self.value("select current_setting('enable_external_access')"):
            run(f"set memory_limit = '{memory_mb}MB'")
            run("set threads = 2")
            # What was not brought into the file is read once more after a crash.  The daemon brings it there
            # between batches (``Writer.settle``), before it comes to this.
            run("set checkpoint_threshold = '64MB'")
            run("set parquet_metadata_cache = true")
            run(f"set temp_directory = {quoted(str(self.directory / 'spill'))}")
            # People may ask in SQL: nothing but the store's own files can be read or written from here on.
            run(f"set allowed_directories = [{quoted(str(self.directory) + '/')}]")
            run("set enable_external_access = false")
        known = self.value("select count(*) from duckdb_schemas() where schema_name = 'own' and not internal")
        if not known and self.read_only:
            raise StoreError("there is nothing in the store", str(self.directory), "load logs first")
        with self.transaction() if not self.read_only else nullcontext():
            if not known:
                schema.create(self.connection)
            self._migrate()
            self._agree()

    def _migrate(self) -> None:
        """Bring an older store up to this version; raise StoreError for a later one."""
        version = int(self.about("version") or 0)
        if version > VERSION:
            raise StoreError(
                f"it is of version {version}, and this program knows {VERSION}",
                str(self.directory),
                "use the newer Mailscope",
            )
        if self.read_only:
            if version < READABLE:
                what = f"it is of version {version} and must be brought up to {VERSION}"
                raise StoreError(what, str(self.directory), "start the daemon, or run 'mailscope store seal'")
            return
        self.brought_up += schema.migrated(self.connection, version)

    def _agree(self) -> None:
        """Hold the manifest against its log.  Raises DamagedError where the file is an older one."""
        if self._log is not None and (why := agree(self, self._log)):
            raise DamagedError(f"it is older than the sealed files beside it: {why}", str(self.path), REBUILD)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what is done meanwhile.

        Raises StoreError where the file is no longer in its place: what was written to it would be lost.
        """
        if not self.in_place():
            raise StoreError("it was removed or replaced", str(self.path), "a new one is begun")
        self.write_ahead.wait()
        self.connection.execute("begin transaction")
        try:
            yield
            if self._log is not None:
                self._log.follow(self)
        except BaseException:
            self._roll_back()
            raise
        try:
            self.connection.execute("commit")
        except BaseException:
            self._roll_back()
            raise

    def in_place(self) -> bool:
        """Whether the open file is the one that has its name."""
        try:
            return _identity(self.path) == self._identity
        except FileNotFoundError:
            return False

    def _roll_back(self) -> None:
        import duckdb

        if self._log is not None:
            self._log.doubt()
        try:
            self.connection.execute("rollback")
        except duckdb.Error:
            # A failed commit has ended the transaction already.
            return

    def set_about(self, name: str, value: str) -> None:
        """Note something of the store itself."""
        self.connection.execute("insert or replace into own.about values (?, ?)", [name, value])

    def secret(self) -> bytes:
        """Random bytes that only this store has, made when they are first asked for."""
        known = self.about("secret")
        if known is None:
            known = token_hex(32)
            with self.transaction():
                self.set_about("secret", known)
                if self._log is not None:
                    self._log.keep_secret(known)
        return bytes.fromhex(known)

    def close(self) -> None:
        """Let go of the file."""
        self.write_ahead.wait()
        self.connection.close()


def _identity(path: Path) -> tuple[int, int]:
    """What tells a file from another of the same name."""
    found = path.stat()
    return found.st_dev, found.st_ino


def _discard_begun(error: duckdb.Error, path: Path, *, made: bool) -> None:
    """Remove what was just begun on a full disk: without its header it would count as damaged."""
    if made and NO_ROOM in str(error):
        for left in (path, log_of(path)):
            left.unlink(missing_ok=True)


def _refuse_bereft(directory: Path, name: str) -> None:
    """Raise DamagedError where sealed files are there and the file that names them is gone."""
    if name == FILE and any(any((directory / table).glob("day=*/part-*.parquet")) for table in TABLES):
        raise DamagedError("it is gone, and sealed files are there", str(directory / FILE), REBUILD)
