"""What a run came to enters the store in one transaction, or not at all.

What tasks wrote lies beside the store until here.  Its files get their names in the store, and then the
manifest, the states of places, tallies and the files that were read change at once.  Where another run has
changed any of what this one began with, ``ConflictError`` says so, and it is done once more on what is there.
"""

from __future__ import annotations

import io
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import polars as pl

from mailscope.cluster.following import TOLD
from mailscope.cluster.pieces import Known
from mailscope.cluster.rows import CLAIMS, DAYLESS, HOUR, OPEN, SEGMENT, SPELLINGS, STATE, UNDER_WAY
from mailscope.cluster.setup import INCOMING, staging_of
from mailscope.cluster.staging import instant
from mailscope.store import days
from mailscope.store.connecting import given
from mailscope.store.database import Database
from mailscope.store.index import place_of
from mailscope.store.places import sync_directory
from mailscope.store.refusals import InUseError
from mailscope.store.sealing import Segment, enter
from mailscope.vocabulary.errors import MailscopeError
from mailscope.vocabulary.instants import naive_now
from mailscope.vocabulary.tables import EVENTS, TABLES

Opened = TypeVar("Opened")
_ONE_OF_US: Final = threading.Lock()
Result = TypeVar("Result")
# After so many runs that others came before, something is wrong.
MOST_TRIES: Final = 10
# Another run, or a command, has the store for moments only.
PATIENCE_S: Final = 120.0
AGAIN_S: Final = 0.2
# What a run that never ended has left is removed after so long.
STALE_S: Final = 7 * 86_400.0
INPUTS: Final = "select path, head, size, lines, stored from own.inputs"


class ConflictError(Exception):
    """Another run has changed what this one began with."""


def patiently(open_it: Callable[[], Opened]) -> Opened:
    """What opening a store gives, as soon as nobody else has it.  Raises InUseError where that takes long."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return open_it()
        except InUseError:
            if time.monotonic() > deadline:
                raise
            time.sleep(AGAIN_S)


@contextmanager
def store(output: Path) -> Iterator[Database]:
    """The store, as soon as nobody else has it."""
    # DuckDB's own lock holds off other processes only; jobs of one session are threads.
    with _ONE_OF_US:
        database = patiently(lambda: Database(output, views=False))
        try:
            yield database
        finally:
            database.close()


@dataclass(frozen=True)
class Begun:
    """What a run begins with: its number, the states of places, the files that were read, waiting claims."""

    run: int
    states: Mapping[str, bytes]
    runs: Mapping[str, int]
    known: Sequence[Known]
    claims: Sequence[bytes]
    # Segments of messages, with the last instant that a message in each began; those that are not sealed.
    messages: Sequence[tuple[str, datetime]] = ()
    hot_messages: pl.DataFrame = field(default_factory=pl.DataFrame)


def begin(output: Path) -> Begun:
    """Begin a run: a number of its own, and what the store has."""
    with store(output) as database:
        run = database.connection.execute
        database.secret()
        with database.transaction():
            number = int(database.about("batch") or 0) + 1
            database.set_about("batch", str(number))
        hosts = run("select host, run, data from own.hosts").fetchall()
        known = [Known(*row) for row in run(INPUTS).fetchall()]
        claims = [bytes(data) for (data,) in run("select data from own.claims").fetchall()]
        segments = run(
            "select path, last from own.manifest where name = 'messages' and damage is null "
            "and last is not null"
        ).fetchall()
        hot = database.frame(f"select {', '.join(TOLD)} from hot.messages")
        _tidy(output / INCOMING)
    return Begun(
        number,
        {host: bytes(data) for host, _, data in hosts},
        {host: each for host, each, _ in hosts},
        known,
        claims,
        [(str(output / path), last) for path, last in segments],
        hot,
    )


def tried(output: Path, run: Callable[[Begun], Result]) -> Result:
    """What a run gives; another one where it raises ConflictError.  What tasks wrote for it goes with it.

    Raises MailscopeError where others always came before.
    """
    for _ in range(MOST_TRIES):
        begun = begin(output)
        try:
            return run(begun)
        except ConflictError:
            continue
        finally:
            shutil.rmtree(staging_of(output, begun.run), ignore_errors=True)
    raise MailscopeError("others always came before", str(output), "run fewer jobs at once")


@dataclass
class Taken:
    """What a run came to.  ``sets``: source -> its set; ``read``: the files, as far as they were read."""

    begun: Begun
    results: pl.DataFrame
    sets: Mapping[str, str] = field(default_factory=dict)
    read: Sequence[Known] = ()
    # Where these lay before they were renamed; the places that were followed.
    gone: Sequence[str] = ()
    places: Sequence[str] = ()
    links: int = 0

    def of(self, kind: str) -> pl.DataFrame:
        """The rows of one kind."""
        return self.results.filter(pl.col("kind") == kind)


def commit(output: Path, taken: Taken, zone: Any) -> None:
    """Enter a run in the store.  Raises ConflictError."""
    with store(output) as database:
        # Nobody else can change the store while it is open here.
        _refuse_conflicts(database, taken)
        entered = moved(database, taken.of(SEGMENT))
        with database.transaction():
            enter_segments(database, entered)
            _enter_rows(database, taken)
            _enter_tallies(database, taken)
            _enter_sources(database, taken)
        days.note_zone(database, zone)
        days.tidy_all(database, zone, naive_now())


def _refuse_conflicts(database: Database, taken: Taken) -> None:
    run = database.connection.execute
    now = dict(run("select host, run from own.hosts").fetchall())
    if any(now.get(place) != taken.begun.runs.get(place) for place in taken.places):
        raise ConflictError
    claims = [bytes(data) for (data,) in run("select data from own.claims").fetchall()]
    if sorted(claims) != sorted(taken.begun.claims):
        raise ConflictError
    known = {row[0]: Known(*row) for row in run(INPUTS).fetchall()}
    before = {each.path: each for each in taken.begun.known}
    if any(known.get(each.path) != before.get(each.path) for each in taken.read):
        raise ConflictError


def moved(database: Database, written: pl.DataFrame) -> list[Segment]:
    """Give segments (RESULTS) their places in the store.  What is not entered after all is a stray there."""
    number = int(database.about("segment") or 0)
    moved = []
    for row in written.sort("name", "day", "first", "path").iter_rows(named=True):
        number += 1
        place = f"{row['name']}/day={row['day']}/part-{number:06}.parquet"
        begun, path = Path(row["path"]), database.directory / place
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        if row["name"] == EVENTS.name and place_of(begun).exists():
            place_of(begun).replace(place_of(path))
        begun.replace(path)
        first, last = instant(row["first"]), instant(row["last"])
        moved.append(Segment(place, row["rows"], row["size"], first, last, row["checksum"]))
    for directory in {(database.directory / segment.path).parent for segment in moved}:
        sync_directory(directory)
        sync_directory(directory.parent)
    with database.transaction():
        # Whatever becomes of this run, these numbers are used.
        database.set_about("segment", str(number))
    return moved


def enter_segments(database: Database, moved: Sequence[Segment]) -> None:
    """Name segments in the manifest, within a transaction."""
    for segment in moved:
        table, day = segment.path.split("/")[:2]
        enter(database, segment, TABLES[table], date.fromisoformat(day.removeprefix("day=")))


def _enter_rows(database: Database, taken: Taken) -> None:
    """Messages under way in place of those of before, rows that belong to no day, spellings."""
    run = database.connection.execute
    open_rows = taken.of(OPEN)
    for table, statement in (
        (
            "before",
            "delete from hot.messages where not closed and trail_id in (select trail_id from new_rows)",
        ),
        ("now", "insert into hot.messages by name select * from new_rows"),
    ):
        for data in open_rows.filter(pl.col("name") == table)["data"]:
            _with_rows(database, data, statement)
    for name, data in taken.of(DAYLESS).select("name", "data").iter_rows():
        _with_rows(database, data, f"insert into hot.{name} by name select * from new_rows")
    for data in taken.of(SPELLINGS)["data"]:
        _with_rows(database, data, "insert or ignore into own.spellings select lower, spelling from new_rows")
    run("delete from own.claims")
    for data in taken.of(CLAIMS)["data"]:
        run("insert into own.claims values (?, ?)", [taken.begun.run, data])


def _with_rows(database: Database, data: bytes, statement: str) -> None:
    with given(database.connection, pl.read_ipc(io.BytesIO(data))):
        database.connection.execute(statement)


def _enter_tallies(database: Database, taken: Taken) -> None:
    run = database.connection.execute
    for hour, data in taken.of(HOUR).select("hour", "data").iter_rows():
        run("insert into own.hours values (?, ?, ?)", [instant(hour), taken.begun.run, data])
    for place, data in taken.of(STATE).select("place", "data").iter_rows():
        run("delete from own.host_hours where host = ?", [place])
        run("insert or replace into own.hosts values (?, ?, ?)", [place, taken.begun.run, data])
    for place, hour, data in taken.of(UNDER_WAY).select("place", "hour", "data").iter_rows():
        run("insert into own.host_hours values (?, ?, ?)", [place, instant(hour), data])


def _enter_sources(database: Database, taken: Taken) -> None:
    run = database.connection.execute
    now = naive_now()
    for source, set_id in taken.sets.items():
        run("insert or replace into own.sources values (?, null, ?, ?)", [source, set_id, now])
    for path in taken.gone:
        run("delete from own.inputs where path = ?", [path])
    for each in taken.read:
        run(
            "insert or replace into own.inputs values (?, ?, ?, ?, ?, ?)",
            [each.path, each.head, each.size, each.lines, each.stored, taken.begun.run],
        )


def _tidy(incoming: Path) -> None:
    """Remove what runs have left that ended without a word, long ago."""
    for left in incoming.glob("*"):
        if time.time() - left.stat().st_mtime > STALE_S:
            shutil.rmtree(left, ignore_errors=True)
