"""What the daemon does to its store for others, who ask for it through the socket.

Each piece of work is done by the daemon's own thread, between two batches, and lines that have come are
always stored first; so nothing waits longer for it than a piece takes.  Only while a person is erased nothing
is stored: files and senders wait.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

import polars as pl

from mailscope.daemon.held import Status
from mailscope.daemon.service import Service
from mailscope.privacy.person import Person
from mailscope.store import copies, days, upkeep
from mailscope.store.audit import enter
from mailscope.store.erasing import erase
from mailscope.store.holding import Held, find
from mailscope.store.indexing import make_next
from mailscope.store.ingest import SEAL_LINES, Loaded, Loading
from mailscope.store.parts import Part
from mailscope.store.places import NEW
from mailscope.store.refusals import StoreError
from mailscope.store.sealing import next_slice, seal
from mailscope.store.upkeep import Step
from mailscope.vocabulary.instants import naive_now
from mailscope.vocabulary.tables import TABLES

PATIENCE_S: Final = 20.0
AGAIN_S: Final = 0.2
PIECE: Final = 1 << 18


class LiveLoading:
    """Loads parts that a client sends; ``end`` or ``drop`` it."""

    def __init__(self, service: Service) -> None:
        """Begin.  Raises StoreError while another client loads."""
        self._service = service
        self._to_seal = 0
        until = time.monotonic() + PATIENCE_S
        # One whose client has just gone is done in a moment.
        while (begun := service.between.do(self._begun)) is None:
            if time.monotonic() > until:
                raise StoreError("other logs are being loaded", "the store", "run it again afterwards")
            time.sleep(AGAIN_S)
        self._loading = begun

    def _begun(self) -> Loading | None:
        service = self._service
        if service.loading is not None:
            return None
        service.loading = Loading(service.writer)
        return service.loading

    def add(self, data: bytes) -> None:
        """Store what is new of a part.  Raises UsageError for what is none, StoreError where it cannot."""
        service = self._service
        part = Part(data)
        part.rows = part.rows.with_columns(_cleaned(part.rows["raw"], service))
        # Understood here, so that the daemon's thread has only to store it.
        batch = part.batch(self._loading.writer.engine)
        before = self._loading.loaded.stored
        service.between.do(lambda: self._add(part, batch))
        self._to_seal += self._loading.loaded.stored - before
        if self._to_seal > SEAL_LINES:
            self._to_seal = 0
            for _ in sealed(service):
                pass

    def _add(self, part: Part, batch: list[Any]) -> None:
        self._check()
        with self._service.lock:
            try:
                self._loading.add(batch, part.sets, part.blank, part.duplicate)
            except BaseException:
                self._service.spoil()
                raise

    def _check(self) -> None:
        if self._service.loading is not self._loading or self._service.writer is not self._loading.writer:
            raise StoreError(
                "the daemon had to open its store again", "the store", "run it again: no line is stored twice"
            )

    def end(self) -> Loaded:
        """All parts have come."""

        def last() -> Loaded:
            self._check()
            try:
                with self._service.lock:
                    self._loading.end()
            finally:
                self._service.loading = None
            return self._loading.loaded

        loaded = self._service.between.do(last)
        for _ in sealed(self._service):
            pass
        return loaded

    def drop(self) -> None:
        """No more comes: the client has gone, or failed."""
        if self._service.loading is self._loading:
            self.end()


def _cleaned(raw: pl.Series, service: Service) -> pl.Series:
    """Lines as they may be kept: without secrets, and names as the settings want them."""
    lines = service.clean("".join(f"{line}\n" for line in raw).encode()).decode("utf-8", "replace")
    cleaned = pl.Series("raw", lines.split("\n")[:-1], dtype=pl.String)
    if len(cleaned) != len(raw):
        raise StoreError("lines cannot be cleaned one by one", "the lines", "report this")
    return cleaned


def sealed(service: Service) -> Iterator[Step]:
    """Seal all that may be, make indexes that are missing; a piece between two batches."""

    def one() -> Step | None:
        now = naive_now()
        with service.lock:
            part = next_slice(service.database, now)
            if part is not None:
                service.writer.checkpoint_of_batch()
                return Step("file", seal(service.database, part))
            if days.tidy(service.database, service.zone, now):
                return Step("tallies")
            indexed = make_next(service.database)
            return None if indexed is None else Step("index", indexed)

    while (step := service.between.do(one)) is not None:
        yield step


def compacted(service: Service) -> Iterator[Step]:
    """Make one file of the small ones of each table and day; gives those of which there were several."""
    with service.looking.one(), service.database.snapshot() as looking:
        rows = looking.connection.execute(
            "select distinct name, day from own.manifest order by name, day"
        ).fetchall()
    for name, day in [row for row in rows if row[0] in TABLES]:

        def one(name: str = name, day: Any = day) -> bool:
            with service.lock:
                return upkeep.compact(service.database, TABLES[name], day)

        if service.between.do(one):
            yield Step("day", f"{name} {day}")


def verified(service: Service, *, set_aside: bool) -> list[upkeep.Damage]:
    """What is wrong with the store, all of it read; ``set_aside``: and left out from now on."""
    with service.looking.one(), service.database.snapshot() as looking:
        damages = upkeep.check(looking, thorough=True)

    def again() -> list[upkeep.Damage]:
        """Files may have been replaced while it was looked at."""
        with service.lock:
            paths = service.database.connection.execute("select path from own.manifest").fetchall()
            named = {path for (path,) in paths}
            there = [each for each in damages if each.place in named or not each.place.endswith(".parquet")]
            if set_aside:
                upkeep.set_aside(service.database, there)
            return there

    return service.between.do(again)


def held(service: Service, names: tuple[str, ...]) -> Held:
    """What names a person."""
    with service.looking.one(), service.database.snapshot() as looking:
        return find(looking, Person.of(names))


def erased(service: Service, names: tuple[str, ...], who: str) -> dict[str, Any]:
    """Erase a person; gives the receipt."""
    person = Person.of(names)

    def now() -> dict[str, Any]:
        if service.loading is not None:
            raise StoreError("logs are being loaded just now", "the store", "run it again afterwards")
        with service.lock:
            directory = service.database.directory
            service.writer.checkpoint()
            service.database.close()
            try:
                return erase(directory, person, who)
            finally:
                service.begin_anew()

    with service.looking.nobody():
        return service.between.do(now)


def backed_up(service: Service) -> Iterator[bytes]:
    """A copy of the store as it is at one moment, as a tar file."""
    directory = service.database.directory
    begun = directory / f"backup{NEW}-{token_hex(8)}"

    def now() -> None:
        with service.lock:
            service.writer.checkpoint()
            copies.snapshot(service.database, begun)

    try:
        service.between.do(now)
        yield from _tar(begun)
    finally:
        shutil.rmtree(begun, ignore_errors=True)


def _tar(directory: Path) -> Iterator[bytes]:
    reading, writing = os.pipe()

    def write() -> None:
        # A client that has gone closes the pipe; what it has is not whole, and it knows that.
        with (
            suppress(BrokenPipeError),
            os.fdopen(writing, "wb") as out,
            tarfile.open(fileobj=out, mode="w|", bufsize=PIECE) as packed,
        ):
            packed.add(directory, "store", filter=_nobodys)

    thread = threading.Thread(target=write, name="mailscope-backup", daemon=True)
    thread.start()
    with os.fdopen(reading, "rb") as file:
        while piece := file.read(PIECE):
            yield piece
    thread.join()


def _nobodys(told: tarfile.TarInfo) -> tarfile.TarInfo:
    """Whoever unpacks it is the owner."""
    told.uid = told.gid = 0
    told.uname = told.gname = ""
    return told


class Doors:
    """What the API asks of the daemon (``web/served.py``)."""

    def __init__(self, service: Service) -> None:
        self._service = service
        # What only looks is answered by the service itself.
        self.reader, self.problems = service.reader, service.problems
        self.add, self.waiting_bytes = service.add, service.waiting_bytes
        self.lock, self.watchers, self.metrics = service.lock, service.watchers, service.metrics

    @property
    def status(self) -> Status:
        """How it is."""
        return self._service.status

    @property
    def directory(self) -> Path:
        """Where the store is."""
        return self._service.database.directory

    def audit(self, who: str, what: str, asked: str) -> None:
        """Enter who looks at whose data, before it is shown."""
        enter(self.directory, who, what, asked)

    def mark(self, when: datetime, author: str, title: str, details: str) -> None:
        """Put a note on the time line."""
        row = {
            "time": when, "host": None, "kind": "note", "author": author, "title": title, "details": details
        }  # fmt: skip
        self._service.add("marks", pl.DataFrame([row], schema_overrides={"time": pl.Datetime("us")}))

    def load(self) -> LiveLoading:
        """Begin to load logs."""
        return LiveLoading(self._service)

    def held(self, names: tuple[str, ...]) -> Held:
        """What names a person."""
        return held(self._service, names)

    def erase(self, names: tuple[str, ...], who: str) -> dict[str, Any]:
        """Erase a person; gives the receipt."""
        return erased(self._service, names, who)

    def seal(self) -> Iterator[Step]:
        """Seal finished days; gives the files."""
        return sealed(self._service)

    def compact(self) -> Iterator[Step]:
        """Make one file of small ones; gives the tables and days."""
        return compacted(self._service)

    def verify(self, *, set_aside: bool) -> list[upkeep.Damage]:
        """Read all of the store; gives what is wrong."""
        return verified(self._service, set_aside=set_aside)

    def backup(self) -> Iterator[bytes]:
        """A copy of the store, as a tar file."""
        return backed_up(self._service)
