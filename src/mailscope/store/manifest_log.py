"""The manifest once more, beside the DuckDB file: what a new file is made from when that one is damaged.

    manifest.jsonl   one line of JSON per transaction that changed the manifest, only appended to
    {"add": [{"path": ..., "rows": ..., "bytes": ..., "first": ..., "last": ..., "checksum": ...}],
     "drop": [path ...]}
    {"secret": ...}  the store's own secret, so that receipts stay genuine

A line is on the disk before the transaction that it tells of is committed.  Where that failed after all, or a
crash came in between, the next opening sets the log right (``agree``); a line that was cut off counts for
nothing.  Files that were replaced (erased, compacted) are in it as dropped, so they never come back.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mailscope.store.places import put_in_place, same_owner
from mailscope.vocabulary.tables import TABLES

if TYPE_CHECKING:
    from mailscope.store.database import Queries

FILE: Final = "manifest.jsonl"
MODE: Final = 0o640
# With more lines than these, and four times as many as files, it is written anew.
MOST_LINES: Final = 2_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A sealed file: its place in the store, rows, bytes, first and last instant (ISO), and SHA-256."""

    path: str
    rows: int
    bytes: int
    first: str | None
    last: str | None
    checksum: str

    @property
    def table(self) -> str:
        """The table that it holds rows of."""
        return self.path.partition("/")[0]

    @property
    def day(self) -> str:
        """The day that they are of, as YYYY-MM-DD."""
        return self.path.split("/")[1].removeprefix("day=")

    def row(self, damage: str | None = None) -> list[Any]:
        """The values of its row in the manifest."""
        return [
            *(self.path, self.table, self.day, self.rows, self.bytes, self.first, self.last, self.checksum),
            damage,
        ]


@dataclass
class Told:
    """What the log tells: files in force, which others each took the place of, and those dropped."""

    live: dict[str, Entry] = field(default_factory=dict)
    instead: dict[str, tuple[str, ...]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    secret: str | None = None
    lines: int = 0
    damaged: int = 0

    def take(self, line: dict[str, Any]) -> None:
        """Follow one line."""
        added = [Entry(**each) for each in line.get("add", ())]
        dropped: list[str] = list(line.get("drop", ()))
        for path in dropped:
            self.live.pop(path, None)
            self.gone.add(path)
        for entry in added:
            self.live[entry.path] = entry
            self.gone.discard(entry.path)
            ours = entry.path.rpartition("/")[0]
            self.instead[entry.path] = tuple(
                path for path in dropped if path.rpartition("/")[0] == ours and path != entry.path
            )
        self.secret = line.get("secret", self.secret)


def read(directory: Path) -> Told:
    """What the log of a store tells; nothing where there is none."""
    told = Told()
    try:
        lines = (directory / FILE).read_bytes().split(b"\n")
    except FileNotFoundError:
        return told
    for line in lines:
        if not line:
            continue
        told.lines += 1
        try:
            told.take(json.loads(line))
        except (ValueError, TypeError, AttributeError, IndexError):
            told.damaged += 1
    return told


def named(database: Queries) -> dict[str, Entry]:
    """The files that the manifest names."""
    rows = database.connection.execute(
        "select path, row_count, bytes, first, last, checksum from own.manifest order by path"
    ).fetchall()
    return {
        path: Entry(path, count, size, _stamp(first), _stamp(last), checksum)
        for path, count, size, first, last, checksum in rows
    }


class ManifestLog:
    """The log of a store that is open for writing."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._told = read(directory)
        self._seen: tuple[Any, ...] | None = None

    def follow(self, database: Queries) -> None:
        """Before a commit: tell of what the transaction has changed in the manifest, if anything."""
        mark = database.connection.execute(
            "select count(*), bit_xor(hash(path, checksum)) from own.manifest"
        ).fetchall()[0]
        if mark == self._seen:
            return
        self._seen = None
        now = named(database)
        added = [entry for path, entry in now.items() if self._told.live.get(path) != entry]
        self.tell(added, [path for path in self._told.live if path not in now])
        self._seen = mark

    def doubt(self) -> None:
        """A transaction failed: what was told of it may not be so."""
        self._seen = None

    def tell(self, added: list[Entry], dropped: list[str]) -> None:
        """Append what has changed.  Raises OSError."""
        if added or dropped:
            self._append({"add": [asdict(entry) for entry in added], "drop": dropped})

    def keep_secret(self, secret: str | None) -> None:
        """Keep the store's secret, if it is not kept yet."""
        if secret is not None and secret != self._told.secret:
            self._append({"secret": secret})

    def shorten(self) -> None:
        """Write the log anew where most of it is of files that are gone."""
        told = self._told
        if told.lines <= MOST_LINES or told.lines <= 4 * len(told.live):
            return
        lines: list[dict[str, Any]] = [{"add": [asdict(entry)]} for entry in told.live.values()]
        if told.secret is not None:
            lines.append({"secret": told.secret})
        put_in_place(self.directory / FILE, "".join(json.dumps(line) + "\n" for line in lines).encode())
        self._told = read(self.directory)

    def _append(self, line: dict[str, Any]) -> None:
        path = self.directory / FILE
        made = not path.exists()
        descriptor = os.open(
            path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, MODE
        )
        try:
            # What a full disk or a crash has cut off must not swallow this one.
            data = (b"" if made else b"\n") + json.dumps(line, separators=(",", ":")).encode() + b"\n"
            if os.write(descriptor, data) != len(data):
                raise OSError(f"{path} was written in part")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if made:
            same_owner(path, self.directory)
        self._told.take(line)
        self._told.lines += 1


def agree(database: Queries, log: ManifestLog) -> str:
    """Set the log right by the manifest of a file that was just opened, within a transaction.

    Gives why the file cannot be used, where it is older than the sealed files beside it: rows of theirs would
    be there twice, or not at all.  A file that was written and not entered is left to be removed as a stray:
    its rows are still in the database.
    """
    told, now = read(database.directory), named(database)
    there = {path for path in now if database.size(path) is not None}
    replaced = {old: path for path, olds in told.instead.items() if path in told.live for old in olds}
    for path in sorted(now.keys() - there):
        if path in replaced:
            return f"{path} was replaced by {replaced[path]}, which it does not know"
        if path in told.gone:
            # It was too old; this was not stored.
            database.connection.execute("delete from own.manifest where path = ?", [path])
    for path in sorted(told.live.keys() - now.keys()):
        entry = told.live[path]
        if database.size(path) is None:
            continue
        olds = told.instead.get(path, ())
        if not (there.issuperset(olds) if olds else _held(database, entry)):
            return f"it does not know {path}"
    log.follow(database)
    log.keep_secret(database.about("secret"))
    log.shorten()
    return ""


def _held(database: Queries, entry: Entry) -> bool:
    """Whether the rows of a sealed file that is not entered are in the database."""
    if entry.first is None:
        return True
    if entry.table not in TABLES:
        # Tallies of a day are still there by the hour.
        found = "select count(*) from own.hours where hour between ? and ?"
        return bool(database.value(found, [entry.first, entry.last]))
    table = TABLES[entry.table]
    closed = " and closed" if table.name == "messages" else ""
    count = database.value(
        f"select count(*) from hot.{table.name} where {table.time} between ? and ?{closed}",
        [entry.first, entry.last],
    )
    return bool(int(count) >= entry.rows)


def _stamp(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat(sep=" ")
