"""The DuckDB file of the store: opening it, its version, transactions, and the views that people read.

    STORE/mailscope.duckdb                         today's rows, the state of what is under way, the manifest
    STORE/TABLE/day=YYYY-MM-DD/part-NNNNNN.parquet finished days

One process owns the file while it writes.  ``hot.TABLE`` holds rows that are not sealed; the view ``TABLE``
shows them with those of the sealed files that the manifest names, never with whatever lies in the
directories.  Whoever asks sees both as they were at one moment, so that no row is there
twice or not at all.
"""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from mailscope.vocabulary.errors import InputError, MailscopeError
from mailscope.vocabulary.tables import SQL_TYPES, TABLES, Table

if TYPE_CHECKING:
    import duckdb

FILE: Final = "mailscope.duckdb"
VERSION: Final = 2
# The oldest version that can be read as it is; it is written only after it was brought up to date.
READABLE: Final = 1
MEMORY_MB: Final = 160
IN_USE: Final = "another process has it open"
# How DuckDB names the process that has a file, and says that it only reads it.
HOLDER: Final = re.compile(r"\(PID ([0-9]+)\)")
ONLY_READ: Final = "able to open this database in read-only mode"
DAYS: Final = (
    'create table own.days (start timestamp, "end" timestamp, zone varchar, path varchar, nameless boolean, '
    "made timestamp)"
)
# Rows that are not of the documented tables.
OWN: Final = (
    "create table own.about (name varchar primary key, value varchar)",
    "create table own.manifest (path varchar primary key, name varchar, day date, row_count bigint, "
    "bytes bigint, first timestamp, last timestamp, checksum varchar, damage varchar)",
    "create table own.sources (source varchar primary key, resume varchar, set_id varchar, "
    "updated timestamp)",
    "create table own.state (name varchar primary key, batch bigint, data blob)",
    "create table own.hours (hour timestamp, batch bigint, data blob)",
    DAYS,
    "create table own.spellings (lower varchar, spelling varchar, primary key (lower, spelling))",
)
# What changes the schema from one version to the next: version -> statements.
MIGRATIONS: Final[dict[int, tuple[str, ...]]] = {1: (DAYS,)}


class StoreError(MailscopeError):
    """The store cannot be used as asked: it is locked, damaged, or of a later version."""


class InUseError(StoreError):
    """Another process has it.  ``read``: it only reads, so that it will be done before long."""

    def __init__(self, what: str, where: str = "", what_to_do: str = "", *, read: bool = False) -> None:
        super().__init__(what, where, what_to_do)
        self.read = read


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
        paths = self.connection.execute(
            f"select path, bytes from own.manifest where name = ? and damage is null and {where} "
            "order by path",
            [table.name, *values],
        ).fetchall()
        listed = ", ".join(self.file(path) for path, size in paths if self.size(path) == size)
        if not listed:
            return hot
        # Files may be older than columns of the table.
        empty = f"select {columns} from hot.{table.name} where false"
        sealed = f"select * from read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
        return f"{hot} union all by name ({empty} union all by name {sealed})"

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
            frame = pl.from_arrow(self.connection.sql(statement, params=list(values)).to_arrow_table())
        except duckdb.IOException as error:
            # As where the contents of a file were changed.
            raise _unreadable(error, self.directory) from error
        assert isinstance(frame, pl.DataFrame)
        return frame

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
        self, directory: Path, *, read_only: bool = False, memory_mb: int = MEMORY_MB, views: bool = True
    ) -> None:
        import duckdb

        directory = directory.absolute()
        # How an older store was changed when it was opened, for whoever opened it to say.
        self.brought_up: list[str] = []
        self.read_only = read_only
        path = directory / FILE
        try:
            if read_only and not path.is_file():
                raise InputError(
                    "there is no store", str(directory), "load logs with 'mailscope ingest FILES'"
                )
            if not read_only:
                directory.mkdir(mode=0o750, parents=True, exist_ok=True)
                _refuse_other_owner(directory)
            super().__init__(duckdb.connect(str(path), read_only=read_only), directory)
        except PermissionError as error:
            raise _not_permitted(path) from error
        except OSError as error:
            raise InputError.from_os_error(error, path) from error
        except duckdb.Error as error:
            raise _unusable(error, path) from error
        self._identity = _identity(path)
        try:
            self._set_up(memory_mb)
            for table in TABLES.values() if views else ():
                self.show(table)
        except duckdb.Error as error:
            self.connection.close()
            raise _unusable(error, path) from error

    @contextmanager
    def snapshot(self, *, views: bool = True) -> Iterator[Queries]:
        """Another connection, which sees the store as it is now, whatever is written or sealed meanwhile.

        Each thread that asks needs one of its own.  ``views``: with the views that people read, for which
        every sealed file is opened.
        """
        cursor = self.connection.cursor()
        try:
            cursor.execute("set timezone = 'UTC'")
            cursor.execute("begin transaction")
            looking = Queries(cursor, self.directory)
            for table in TABLES.values() if views else ():
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
                self._create()
            self._migrate()

    def _create(self) -> None:
        run = self.connection.execute
        run("create schema own")
        run("create schema hot")
        for statement in OWN:
            run(statement)
        run("insert into own.about values ('version', ?)", [str(VERSION)])
        for table in TABLES.values():
            run(f"create table hot.{table.name} ({table.definition()})")

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
        for step in range(version, VERSION):
            self.brought_up.append(f"from version {step} to {step + 1}")
            for statement in MIGRATIONS[step]:
                self.connection.execute(statement)
        if version != VERSION:
            self.set_about("version", str(VERSION))
        for table in TABLES.values():
            self._complete(table)

    def _complete(self, table: Table) -> None:
        """Add columns that the vocabulary has gained since the store was made."""
        rows = self.connection.execute(
            "select column_name from duckdb_columns() where schema_name = 'hot' and table_name = ?",
            [table.name],
        ).fetchall()
        have = {name for (name,) in rows}
        if not have:
            self.connection.execute(f"create table hot.{table.name} ({table.definition()})")
            self.brought_up.append(f"table {table.name} is new")
            return
        new = [column for column in table.columns if column.name not in have]
        for column in new:
            kind = SQL_TYPES[column.kind]
            self.connection.execute(f'alter table hot.{table.name} add column "{column.name}" {kind}')
        if new:
            names = ", ".join(column.name for column in new)
            self.brought_up.append(f"table {table.name} has new columns: {names}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what is done meanwhile.

        Raises StoreError where the file is no longer in its place: what was written to it would be lost.
        """
        if not self.in_place():
            raise StoreError("it was removed or replaced", str(self.directory / FILE), "a new one is begun")
        self.connection.execute("begin transaction")
        try:
            yield
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
            return _identity(self.directory / FILE) == self._identity
        except FileNotFoundError:
            return False

    def _roll_back(self) -> None:
        import duckdb

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
        return bytes.fromhex(known)

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()


def _identity(path: Path) -> tuple[int, int]:
    """What tells a file from another of the same name."""
    found = path.stat()
    return found.st_dev, found.st_ino


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _unreadable(error: duckdb.Error, directory: Path) -> StoreError:
    """Why an answer cannot be given, in our words."""
    words = " ".join(str(error).split())[:300]
    return StoreError(f"it cannot be read ({words})", str(directory), "see 'mailscope store verify'")


def _unusable(error: duckdb.Error, path: Path) -> MailscopeError:
    """Why a store cannot be opened, in our words."""
    words = " ".join(str(error).split())
    if "Could not set lock" in words:
        holder = HOLDER.search(words)
        what = f"{IN_USE}{_named(holder[1]) if holder else ''}"
        return InUseError(what, str(path), "ask the daemon, or stop it first", read=ONLY_READ in words)
    if "Permission denied" in words:
        return _not_permitted(path)
    return StoreError(
        f"it cannot be opened ({words[:300]})", str(path), "see 'mailscope store verify'; restore a backup"
    )


def _not_permitted(path: Path) -> InputError:
    return InputError(
        "no permission to open it", str(path), "run as the user that the store belongs to, or as root"
    )


def _refuse_other_owner(directory: Path) -> None:
    """Raise InputError where root would leave files to the store's owner that the latter cannot write."""
    owner = directory.stat().st_uid
    if os.geteuid() != 0 or owner == 0:
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = str(owner)
    raise InputError(
        f"it belongs to {name}, who could not use what root writes in it", str(directory),
        f"run 'runuser -u {name} -- mailscope ...'",
    )  # fmt: skip


def _named(pid: str) -> str:
    """A process by number and, where it may be known, by the end of its command."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return f" (process {pid})"
    names = [word.rpartition("/")[2] for word in words if word]
    ours = names[names.index("mailscope") :] if "mailscope" in names else names
    return f" (process {pid}: {' '.join(ours)[:60]})"
