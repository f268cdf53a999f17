"""A store looked at from this process: the answers that the daemon's socket gives, without the socket."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from mailscope.privacy.person import Person
from mailscope.recognise.engine import Engine
from mailscope.recognise.library import Library
from mailscope.store import upkeep
from mailscope.store.asking import LINES, Asked
from mailscope.store.database import Database, Queries
from mailscope.store.hours import Copied, copied
from mailscope.store.person import everything
from mailscope.store.receipts import Verdict, verdict
from mailscope.store.refusals import REBUILD, DamagedError
from mailscope.store.restore import UnderWay, restore
from mailscope.store.search import Search
from mailscope.store.statements import checked
from mailscope.vocabulary.tables import EVENTS, TABLES, Table

if TYPE_CHECKING:
    pass

ROWS_AT_ONCE: Final = 50_000
HOUR: Final = timedelta(hours=1)


class Reader:
    """Answers from an open database.

    ``under_way``: what is being followed, where the writer is in this process; otherwise it is restored when
    it is needed.
    """

    def __init__(
        self, database: Database, library: Library, zone: ZoneInfo, under_way: UnderWay | None = None
    ) -> None:
        self.database = database
        self.library = library
        self.zone = zone
        self._under_way = under_way

    @classmethod
    def open(cls, directory: Path, library: Library, zone: ZoneInfo) -> Reader:
        """A reader of a store that no daemon has.  Raises InputError or StoreError."""
        return cls(Database(directory, read_only=True, views=False), library, zone)

    def lines(self, asked: Asked) -> Iterator[pl.DataFrame]:
        """Lines in the order of each source."""
        with self.database.snapshot(views=False) as looking:
            if asked.about is not None and "network" not in asked.kinds:
                yield from Search(looking, asked).lines()
            else:
                yield from _span(looking, asked)

    def tallies(self, since: datetime | None, until: datetime | None, *, by_time: bool = False) -> bytes:
        """The tallies of the whole hours of a span, with what is under way."""
        return self.hours(since, until, by_time=by_time).packed()

    def hours(self, since: datetime | None, until: datetime | None, *, by_time: bool = False) -> Copied:
        """The same before it is added up, which needs nothing of the store any more.

        Raises DamagedError where the file that holds them cannot be read.
        """
        if self.database.damage:
            raise DamagedError(self.database.damage, str(self.database.path), REBUILD)
        return copied(self.database, self.under_way, self.zone, since, until, by_time=by_time)

    @property
    def under_way(self) -> UnderWay:
        """What is being followed, restored where the writer is not in this process."""
        if self._under_way is None:
            self._under_way = restore(self.database, Engine(self.library), self.zone)
        return self._under_way

    def sql(self, statement: str, tables: Sequence[Table] | None = None) -> Iterator[pl.DataFrame]:
        """The rows of a reading statement.  Raises UsageError for any other.

        ``tables``: those that it is about, where that is known: the files of others are not opened then.
        """
        with self.database.snapshot(views=True if tables is None else tables) as looking:
            yield from _batches(looking, checked(looking.connection, statement), [])

    def person(self, names: tuple[str, ...]) -> dict[str, pl.DataFrame]:
        """All that is held of a person.  Raises UsageError for what is nobody's name."""
        with self.database.snapshot() as looking:
            return everything(looking, Person.of(names))

    def verdict(self, receipt: dict[str, Any], names: tuple[str, ...]) -> Verdict:
        """Whether a receipt is of this store.  Raises UsageError for what is nobody's name."""
        asked = Person.of(names).names if names else ()
        with self.database.snapshot(views=False) as looking:
            secret = looking.about("secret")
        return verdict(bytes.fromhex(secret) if secret else None, receipt, asked)

    def status(self) -> dict[str, Any]:
        """How the store is: what it holds, of when, in how much space, and what is wrong."""
        with self.database.snapshot(views=False) as looking:
            told = {"directory": str(self.database.directory), **_status(looking)}
        if self.database.damage:
            told["damage"].insert(
                0, {"place": self.database.path.name, "what": f"{self.database.damage}; {REBUILD}"}
            )
        return told

    def close(self) -> None:
        """Let go of the store, unless the writer has it."""
        self.database.close()


def _status(looking: Queries) -> dict[str, Any]:
    value = looking.value
    tables = {}
    for name in TABLES:
        sealed = looking.connection.execute(
            "select coalesce(sum(row_count), 0), coalesce(sum(bytes), 0), count(*) from own.manifest "
            "where name = ?",
            [name],
        ).fetchall()[0]
        hot = int(value(f"select count(*) from hot.{name}"))
        tables[name] = {
            "rows": hot + int(sealed[0]), "hot_rows": hot, "files": int(sealed[2]),
            "sealed_bytes": int(sealed[1]),
        }  # fmt: skip
    first, last = looking.span(EVENTS)
    sources = looking.connection.execute("select source, updated from own.sources order by source").fetchall()
    return {
        "version": int(looking.about("version") or 0),
        "first": first.isoformat() if first else None,
        "last": last.isoformat() if last else None,
        "bytes": _size(looking.directory),
        "tables": tables,
        "sources": [{"source": source, "updated": when.isoformat()} for source, when in sources],
        "damage": [vars_of(each) for each in upkeep.check(looking, thorough=False)],
    }


def _size(directory: Path) -> int:
    """Bytes in all files of a directory and below; files may come and go meanwhile."""
    size = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with suppress(OSError):
                size += os.lstat(os.path.join(folder, name)).st_size
    return size


def vars_of(damage: upkeep.Damage) -> dict[str, str]:
    """A damage as JSON holds it."""
    return {"place": damage.place, "what": damage.what}


def _span(looking: Queries, asked: Asked) -> Iterator[pl.DataFrame]:
    """All lines of a span and of some hosts."""
    files, conditions = [], []
    values: list[Any] = []
    if asked.since is not None:
        files.append("last >= ?")
        conditions.append("time >= ?")
        values.append(asked.since)
    if asked.until is not None:
        files.append("first < ?")
        conditions.append("time < ?")
        values.append(asked.until)
    relation = looking.relation(EVENTS, " and ".join(files) or "true", tuple(values))
    if asked.hosts:
        conditions.append(f"lower(host) in ({', '.join('?' for _ in asked.hosts)})")
    values += [name.lower() for name in asked.hosts]
    sets = looking.frame("select source, set_id from own.sources")
    statement = (
        f"select source, time, raw from ({relation}) where {' and '.join(conditions) or 'true'} "
        "order by time nulls first, batch, line_number"
    )
    for rows in _batches(looking, statement, values):
        yield rows.join(sets, on="source", how="left", maintain_order="left").select(list(LINES))


def _batches(looking: Queries, statement: str, values: list[Any]) -> Iterator[pl.DataFrame]:
    """The rows of an answer, some at a time; at least one frame, which tells the columns."""
    reader = looking.connection.sql(statement, params=values).to_arrow_reader(ROWS_AT_ONCE)
    empty = True
    for batch in reader:
        empty = False
        frame = pl.from_arrow(batch)
        assert isinstance(frame, pl.DataFrame)
        yield frame
    if empty:
        frame = pl.from_arrow(reader.schema.empty_table())
        assert isinstance(frame, pl.DataFrame)
        yield frame
