"""A new DuckDB file in place of a damaged one.

    1  sealed files enter the manifest, as the manifest log tells (or, without one, as they lie there)
    2  tables of the damaged file that can be read whole are copied, and of others what can be read
    3  what follows from lines is made anew of the lines that are there, where it could not be read
    4  the damaged file gets another name, and the new one its place

Broken off before 4, the store is as it was; between the two steps of 4 there is no such file, and rebuilding
takes the one that was set aside.  Nothing is deleted.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from mailscope.recognise.library import Library
from mailscope.store import manifest_log
from mailscope.store.connecting import LOG, log_of
from mailscope.store.database import FILE, Database
from mailscope.store.day_files import HOUR
from mailscope.store.places import ASIDE, NEW, same_owner, sync_directory
from mailscope.store.refusals import InUseError, StoreError
from mailscope.store.reliving import SALVAGED, Again, follow_again, without_sealed
from mailscope.store.renewing import remove_begun
from mailscope.store.salvage import Wreck, examined
from mailscope.store.sealed_only import Sealed, enter, sealed_files
from mailscope.store.sealing import TALLIES, sha256
from mailscope.store.stored import COLUMNS
from mailscope.store.upkeep import Damage
from mailscope.tallies.hours import NO_TIME
from mailscope.vocabulary.errors import InputError, OutputError
from mailscope.vocabulary.tables import EVENTS, TABLES

# What follows from lines ...
DERIVED: Final = ("messages", "deliveries", "sessions", "links")
# ... and what must be of one moment, for reading and following to go on from it.
FOLLOWED: Final = ("hot.events", "own.about", "own.state", "own.hours")
# Rows that follow from no line.
APART: Final = tuple(name for name in TABLES if name not in (EVENTS.name, *DERIVED))


@dataclass
class Rebuilt:
    """What was done; ``made``: whether there is a new file (there is none where nothing was wrong).

    ``aside``: where the damaged file is; ``lost``: what could not be read, by table, and why; ``rows``: how
    many rows of it are gone at most; ``remade``: of how many lines tables and tallies were made anew (None:
    none had to be); ``tallies``: what became of them then; ``after``: lines after this instant, which were
    not sealed, may be missing; ``resumed``: reading goes on where it was.
    """

    made: bool = True
    aside: Path | None = None
    lost: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    damages: list[Damage] = field(default_factory=list)
    without_log: bool = False
    logged: bool = True
    remade: int | None = None
    tallies: str = ""
    after: datetime | None = None
    resumed: bool = True
    new_secret: bool = False
    sources: list[str] = field(default_factory=list)


def rebuild(
    directory: Path, library: Library, zone: ZoneInfo, watch: Callable[[int], None] = lambda _: None
) -> Rebuilt:
    """Make the file anew.

    Raises InUseError where another process has it, InputError where there is no store, StoreError or
    OutputError where it cannot be done.
    """
    directory = directory.absolute()
    path = directory / FILE
    source = _source(directory)
    if source == path:
        _refuse_in_use(path)
    before = _signature(source)
    remove_begun(directory)
    try:
        with examined(source) as wreck:
            sealed = sealed_files(directory)
            if not sealed.logged and wreck.whole("own.manifest"):
                sealed = _of_manifest(wreck)
            if source == path and _is_whole(wreck) and _agrees(wreck, sealed):
                return Rebuilt(made=False)
            done = _made(directory, wreck, sealed, library, zone, watch)
        if source == path:
            _refuse_in_use(path)
        if _signature(source) != before:
            raise StoreError("it was written meanwhile", str(path), "stop the daemon and run it again")
        done.aside = _swapped(directory, source)
    except OSError as error:
        raise OutputError.from_os_error(error, path) from error
    finally:
        remove_begun(directory)
    if done.tallies:
        # They stand by the hour in the new file.
        paths = [entry.path for entry in sealed.entries if entry.table == TALLIES]
        manifest_log.ManifestLog(directory).tell([], paths)
    # Opened as it will be from now on, it is held against the manifest log.
    Database(directory).close()
    return done


def kept_aside(directory: Path) -> list[Path]:
    """Damaged files that were set aside, the newest last."""
    return sorted(path for path in directory.glob(f"{FILE}{ASIDE}*") if path.suffix != LOG)


def _source(directory: Path) -> Path | None:
    """The file to save what can be saved from."""
    path = directory / FILE
    if path.exists():
        return path
    aside = kept_aside(directory)
    if aside:
        return aside[-1]
    if not sealed_files(directory).entries:
        raise InputError("there is no store", str(directory), "load logs with 'mailscope ingest FILES'")
    return None


def _refuse_in_use(path: Path) -> None:
    """Raise InUseError where a process has the file: DuckDB holds such a lock."""
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InUseError("another process has it open", str(path), "stop the daemon first") from error


def _signature(source: Path | None) -> tuple[int, ...]:
    if source is None:
        return ()
    found = source.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _of_manifest(wreck: Wreck) -> Sealed:
    """The files that a manifest names."""
    with wreck.connection() as old:
        rows = old.execute(
            "select path, row_count, bytes, first, last, checksum from own.manifest order by path"
        ).fetchall()
    entries = [
        manifest_log.Entry(path, count, size, _text(first), _text(last), checksum)
        for path, count, size, first, last, checksum in rows
    ]
    return Sealed(entries, False, [])


def _is_whole(wreck: Wreck) -> bool:
    """Whether nothing is wrong with a file."""
    return not (wreck.why or wreck.lost or wreck.without_log)


def _agrees(wreck: Wreck, sealed: Sealed) -> bool:
    """Whether a file's manifest names just the files that are in force: its rows are of the same moment."""
    if not wreck.whole("own.manifest"):
        return False
    return {entry.path for entry in _of_manifest(wreck).entries} == {entry.path for entry in sealed.entries}


def _made(
    directory: Path, wreck: Wreck, sealed: Sealed, library: Library, zone: ZoneInfo,
    watch: Callable[[int], None],
) -> Rebuilt:  # fmt: skip
    """Make the new file, beside the damaged one."""
    done = Rebuilt(
        lost={"the whole file": wreck.why} if wreck.why else dict(wreck.lost),
        without_log=wreck.without_log,
        logged=sealed.logged,
    )
    database = Database(directory, name=FILE + NEW)
    try:
        done.damages = sealed.damages + _damages(directory, sealed)
        together = _agrees(wreck, sealed)
        # Days of tallies are named in a table of their own; without it they become hours again.
        followed = (*FOLLOWED, "own.days") if "own.days" in wreck.tables else FOLLOWED
        goes_on = together and wreck.whole(*followed)
        entries = [entry for entry in sealed.entries if goes_on or entry.table != TALLIES]
        with database.transaction():
            enter(database, entries, [each for each in done.damages if _readable(directory, each)])
        lines = wreck.whole("hot.events", "own.about") and together
        done.resumed = lines and wreck.whole("own.sources")
        _copy_apart(database, wreck, done, zone, resumed=done.resumed)
        _own_facts(database, wreck, sealed, done)
        if goes_on:
            missing = [name for name in DERIVED if not wreck.whole(f"hot.{name}")]
            if missing or not wreck.whole("own.spellings"):
                done.remade = _remade(database, wreck, library, zone, watch)
                done.rows.pop("events", None)
            for name in (*followed, *(f"hot.{name}" for name in DERIVED if name not in missing)):
                _replaced(database, wreck, name)
        else:
            done.remade = _remade(database, wreck, library, zone, watch, done)
            done.tallies = _earlier_tallies(database, wreck)
        _replaced(database, wreck, "own.spellings")
        if not done.resumed:
            done.after = database.value("select max(last) from own.manifest where name = 'events'")
        done.sources = _sources(database)
        for table in TABLES.values():
            database.show(table)
        database.connection.execute("drop schema if exists salvaged cascade")
        database.connection.execute("checkpoint")
    finally:
        database.close()
    return done


def _damages(directory: Path, sealed: Sealed) -> list[Damage]:
    """What is wrong with sealed files."""
    found = []
    for entry in sealed.entries:
        path = directory / entry.path
        if not path.exists():
            found.append(Damage(entry.path, "it is missing"))
        elif sha256(path) != (entry.checksum, entry.bytes):
            found.append(Damage(entry.path, "its contents were changed"))
    return found


def _readable(directory: Path, damage: Damage) -> bool:
    """Whether a damaged file must be set aside: one that is missing is left out by itself."""
    return (directory / damage.place).exists()


def _copy_apart(database: Database, wreck: Wreck, done: Rebuilt, zone: ZoneInfo, *, resumed: bool) -> None:
    """Copy what follows from no line: as much of it as can be read."""
    for name in APART:
        if left := wreck.copy(f"hot.{name}", database, f"hot.{name}"):
            done.rows[name] = left
    wreck.copy("own.sources", database, "own.sources")
    if not resumed:
        # What was read after the lines that are here would be lost; what is read again is known.
        with database.transaction():
            database.connection.execute("update own.sources set resume = null")


def _own_facts(database: Database, wreck: Wreck, sealed: Sealed, done: Rebuilt) -> None:
    """What the store says of itself: as it did, or as the manifest log and the files tell."""
    _replaced(database, wreck, "own.about")
    numbers = [int(number) for entry in sealed.entries if (number := entry.path[-14:-8]).isdigit()]
    segment = max([int(database.about("segment") or 0), *numbers])
    batch = database.value(f"select max(batch) from ({database.relation(EVENTS)})")
    with database.transaction():
        database.set_about("segment", str(segment))
        database.set_about("batch", str(max(int(database.about("batch") or 0), int(batch or 0))))
        if database.about("secret") is None and sealed.secret is not None:
            database.set_about("secret", sealed.secret)
    done.new_secret = database.about("secret") is None


def _replaced(database: Database, wreck: Wreck, table: str) -> None:
    """A table as it was in the damaged file, if it can be read whole."""
    if wreck.whole(table):
        with database.transaction():
            database.connection.execute(f"delete from {table}")
        wreck.copy(table, database, table)


def _remade(
    database: Database, wreck: Wreck, library: Library, zone: ZoneInfo, watch: Callable[[int], None],
    done: Rebuilt | None = None,
) -> int:  # fmt: skip
    """Follow all lines that are there; gives how many."""
    run = database.connection.execute
    run("create schema salvaged")
    run(f"create table {SALVAGED} as select {', '.join(COLUMNS)} from hot.events")
    left = wreck.copy("hot.events", database, SALVAGED, COLUMNS)
    if left and done is not None:
        done.rows["events"] = left
    without_sealed(database)
    return follow_again(Again(database, library, zone), watch)


def _earlier_tallies(database: Database, wreck: Wreck) -> str:
    """Take over tallies of hours of which no line is left; gives what became of tallies, in words."""
    first: datetime | None = database.value("select min(hour) from own.hours where hour > ?", [NO_TIME])
    anew = "none could be made" if first is None else f"from {first} UTC on are made anew without blank lines"
    found, unread = _old_hours(database, wreck)
    edge = first or datetime.max
    earlier = [row for row in found if NO_TIME < row[0] < edge]
    if earlier:
        # Of the first hour, some lines may have grown too old.
        taken = [*earlier, *(row for row in found if row[0] == edge)]
        with database.transaction():
            if len(taken) > len(earlier):
                database.connection.execute("delete from own.hours where hour = ?", [edge])
            for row in taken:
                database.connection.execute("insert into own.hours values (?, ?, ?)", list(row))
    if not wreck.whole("own.hours") or unread:
        more = f" (cannot be read: {', '.join(unread)})" if unread else ""
        return f"{anew}; of earlier ones, those of {len({row[0] for row in earlier}):,} hours are here{more}"
    return f"{anew}; earlier ones are as they were"


def _old_hours(database: Database, wreck: Wreck) -> tuple[list[tuple[datetime, int, bytes]], list[str]]:
    """Tallies of hours that can be read, of sealed days and of the file; and days that cannot be."""
    newest = {
        path.parent: path for path in sorted((database.directory / TALLIES).glob("day=*/part-*.parquet"))
    }
    found: list[tuple[datetime, int, bytes]] = []
    unread = []
    for path in newest.values():
        try:
            rows = pl.read_parquet(path, hive_partitioning=False).filter(pl.col("kind") == HOUR)
            found += [(hour, 0, data) for hour, data in rows.select("hour", "data").iter_rows()]
        except (pl.exceptions.PolarsError, OSError):
            unread.append(path.relative_to(database.directory).as_posix())
    if wreck.whole("own.hours"):
        with wreck.connection() as old:
            found += old.execute("select hour, batch, data from own.hours").fetchall()
    return found, unread


def _sources(database: Database) -> list[str]:
    """Whose lines the store holds."""
    recent = database.relation(EVENTS, "last >= current_timestamp - interval 3 day")
    rows = database.connection.execute(
        f"select source from own.sources union select distinct source from ({recent}) order by source"
    ).fetchall()
    return [source for (source,) in rows if source is not None]


def _swapped(directory: Path, source: Path | None) -> Path | None:
    """Put the new file in its place; gives where the damaged one is now."""
    path, begun = directory / FILE, directory / (FILE + NEW)
    if log_of(begun).exists():
        raise StoreError("the new file could not be finished", str(begun), "run it again")
    begun.chmod((source.stat().st_mode if source is not None else 0o640) & 0o7777)
    same_owner(begun, directory)
    aside = source
    if source == path:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        aside = path.with_name(f"{FILE}{ASIDE}{stamp}")
        wal = log_of(path)
        if wal.exists():
            wal.rename(log_of(aside))
        path.rename(aside)
    begun.rename(path)
    sync_directory(directory)
    return aside


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat(sep=" ")
