"""The sealed files of a store whose DuckDB file cannot be used: what they are, and a store of them alone.

The manifest log tells which files are in force.  Where there is none (the store was last written by an
earlier version), all files that lie in their places and can be read are taken: files that nothing names any
more are removed at each start, so hardly any other is among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from mailscope.store import manifest_log, schema
from mailscope.store.database import MEMORY_MB, Database, Queries
from mailscope.store.manifest_log import Entry
from mailscope.store.refusals import DamagedError
from mailscope.store.sealing import sha256
from mailscope.store.upkeep import Damage
from mailscope.store.write_ahead import WriteAhead
from mailscope.vocabulary.tables import TABLES


@dataclass(frozen=True)
class Sealed:
    """The files of a store; ``logged``: whether the log told of them."""

    entries: list[Entry]
    logged: bool
    damages: list[Damage]
    secret: str | None = None


def sealed_files(directory: Path) -> Sealed:
    """Which sealed files are in force, by the log or else by what lies there."""
    told = manifest_log.read(directory)
    if told.lines > told.damaged:
        return Sealed(list(told.live.values()), True, [], told.secret)
    damages: list[Damage] = []
    return Sealed(list(_lying(directory, damages)), False, damages)


def _lying(directory: Path, damages: list[Damage]) -> Iterator[Entry]:
    """Files in their places, looked through."""
    for table in TABLES.values():
        for path in sorted((directory / table.name).glob("day=*/part-*.parquet")):
            name = path.relative_to(directory).as_posix()
            time = pl.col(table.time)
            try:
                rows = pl.scan_parquet(path, hive_partitioning=False).select(
                    pl.len().alias("rows"), time.min().alias("first"), time.max().alias("last")
                )
                count, first, last = rows.collect().row(0)
            except (pl.exceptions.PolarsError, OSError) as error:
                damages.append(Damage(name, f"it cannot be read ({' '.join(str(error).split())[:200]})"))
                continue
            checksum, size = sha256(path)
            yield Entry(name, count, size, _stamp(first), _stamp(last), checksum)


def enter(database: Queries, entries: list[Entry], damages: list[Damage]) -> None:
    """Enter files in an empty manifest; those that are damaged are left out of what is read."""
    what = {damage.place: damage.what for damage in damages}
    for entry in entries:
        database.connection.execute(
            "insert into own.manifest values (?, ?, ?, ?, ?, ?, ?, ?, ?)", entry.row(what.get(entry.path))
        )


class SealedOnly(Database):
    """A store of its sealed files alone, to be read; nothing on the disk is changed."""

    def __init__(self, directory: Path, damage: DamagedError, memory_mb: int = MEMORY_MB) -> None:
        import duckdb

        self.damage, self.read_only, self.brought_up = damage.what, True, []
        self.path, self._log = Path(damage.where), None
        self.write_ahead = WriteAhead(self.path)
        Queries.__init__(self, duckdb.connect(":memory:"), directory.absolute())
        schema.create(self.connection)
        files = sealed_files(self.directory)
        enter(self, files.entries, files.damages)
        if files.secret is not None:
            # Indexes of sealed files are keyed with it.
            self.set_about("secret", files.secret)
        self._set_up(memory_mb)
        for table in TABLES.values():
            self.show(table)


def _stamp(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat(sep=" ")
