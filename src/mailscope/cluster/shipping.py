"""Sealed files of one machine's store come into the cluster's store, beside what its jobs write.

A file is copied and gets its place in the other manifest in one transaction, with what it is called there; so
shipping again, and shipping that was broken off, changes nothing.  What was replaced here since (by an
erasure, or ``compact``) is replaced there.  What is too old here stays there as long as that store keeps it.
Tallies of days go hour by hour, and those of a day that was written anew take the place of the old ones.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import polars as pl

from mailscope.cluster.committing import enter_segments, moved, store
from mailscope.cluster.rows import results
from mailscope.cluster.setup import INCOMING
from mailscope.cluster.staging import told
from mailscope.store import manifest_log
from mailscope.store.connecting import quoted
from mailscope.store.database import Database
from mailscope.store.day_files import HOUR
from mailscope.store.indexing import make
from mailscope.store.manifest_log import Entry
from mailscope.store.refusals import StoreError
from mailscope.store.sealing import TALLIES, Segment, remove
from mailscope.store.sealing import sha256 as checked
from mailscope.vocabulary.tables import EVENTS, TABLES

SHIPPED = "shipped:"


@dataclass
class Shipped:
    """What shipping came to, in files: those that came, those that gave way, those known before."""

    new: int = 0
    gone: int = 0
    known: int = 0


def ship(source: Path, target: Path) -> Shipped:
    """Bring the sealed files of a store to another one.

    Raises StoreError where either cannot be used, or a file is not as it was written.
    """
    here = manifest_log.read(source)
    if here.secret is None:
        raise StoreError("it has no sealed files", str(source), "ship a store that 'mailscope serve' keeps")
    name = f"{SHIPPED}{sha256(here.secret.encode()).hexdigest()[:16]}/"
    staging = target / INCOMING / f"ship-{uuid4().hex}"
    try:
        with store(target) as database:
            return _run(database, source, staging, here, name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _run(database: Database, source: Path, staging: Path, here: manifest_log.Told, name: str) -> Shipped:
    run = database.connection.execute
    known = dict(run("select path, head from own.inputs where starts_with(path, ?)", [name]).fetchall())
    fresh = [entry for path, entry in here.live.items() if known.get(name + path) != entry.checksum]
    replaced = {old for olds in here.instead.values() for old in olds}
    left = [path for path in known if path.removeprefix(name) not in here.live]
    old = [path for path in left if path.removeprefix(name) in replaced]
    # A file of the same name with other contents, too: it was written anew.
    old += [name + entry.path for entry in fresh if name + entry.path in known]
    database.secret()
    files = [_copied(database, source, staging, entry) for entry in fresh if entry.table in TABLES]
    entered = moved(database, results(files))
    with database.transaction():
        gone = _drop(database, [known[path] for path in old])
        run("delete from own.inputs where path in (select unnest(?::varchar[]))", [old])
        enter_segments(database, entered)
        for entry in fresh:
            if entry.table == TALLIES:
                _hours(database, name, source / entry.path)
            row = [name + entry.path, entry.checksum, entry.bytes, entry.rows, entry.bytes, 0]
            run("insert or replace into own.inputs values (?, ?, ?, ?, ?, ?)", row)
    remove(database, gone)
    return Shipped(len(fresh), len(gone), len(here.live) - len(fresh))


def _copied(database: Database, source: Path, staging: Path, entry: Entry) -> dict[str, object]:
    """A sealed file beside its place in the other store, with an index of its own: its secret is another."""
    path = staging / entry.path
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    with (source / entry.path).open("rb") as file, path.open("wb") as copy:
        shutil.copyfileobj(file, copy)
        copy.flush()
        os.fsync(copy.fileno())
    if checked(path)[0] != entry.checksum:
        raise StoreError(
            "it is not as it was written", str(source / entry.path), "see 'mailscope store verify'"
        )
    if entry.table == EVENTS.name:
        make(_Beside(database, staging), entry.path, entry.checksum, database.secret())
    first, last = (datetime.fromisoformat(each) if each else None for each in (entry.first, entry.last))
    segment = Segment(entry.path, entry.rows, entry.bytes, first, last, entry.checksum)
    return told(segment, entry.table, entry.day, staging)


class _Beside:
    """The place that files are copied to, as what makes an index sees it."""

    def __init__(self, database: Database, directory: Path) -> None:
        self.connection, self.directory = database.connection, directory.absolute()
        self.secret = database.secret

    def file(self, path: str) -> str:
        """A file, as SQL names it."""
        return quoted(str(self.directory / path))


def _drop(database: Database, checksums: Iterable[str]) -> list[str]:
    """Name files no more, within a transaction; gives where they are."""
    paths: list[str] = []
    for checksum in checksums:
        found = database.connection.execute(
            "select path from own.manifest where checksum = ?", [checksum]
        ).fetchall()
        paths += [path for (path,) in found]
    database.connection.execute(
        "delete from own.manifest where path in (select unnest(?::varchar[]))", [paths]
    )
    return paths


def _hours(database: Database, name: str, path: Path) -> None:
    """The hours of a day's tallies in place of those that came of them before, within a transaction."""
    rows = pl.read_parquet(path, hive_partitioning=False).filter(pl.col("kind") == HOUR)
    for hour, data in rows.select("hour", "data").iter_rows():
        database.connection.execute("delete from own.host_hours where host = ? and hour = ?", [name, hour])
        database.connection.execute("insert into own.host_hours values (?, ?, ?)", [name, hour, data])
