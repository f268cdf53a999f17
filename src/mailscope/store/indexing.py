"""Making the indexes of sealed files (``index.py``), with the files and for those that have none.

An index is written beside its place, brought to the disk and renamed, before the manifest names its file; it
holds the checksum of that file, so that it counts for no other.  Whatever is missing is made again.
"""

from __future__ import annotations

import os
from collections import defaultdict
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

import polars as pl

from mailscope.store import names
from mailscope.store.connecting import another
from mailscope.store.database import Database, Queries
from mailscope.store.index import DamagedIndexError, Index, fingerprint, packed, place_of
from mailscope.store.keeping import Keeping
from mailscope.vocabulary.tables import EVENTS

BEGUN: Final = ".begun"
# The heads of so many are kept (some 2,000 bytes each): one search after the other looks into them.
OPENED: Final = 4_000


def make(database: Keeping, place: str, checksum: str, secret: bytes) -> Path:
    """Make the index of a sealed file of ``events`` with a SHA-256; gives where it is."""
    numbers = names.Numbers(secret)
    path = place_of(database.directory / place)
    begun = path.with_suffix(BEGUN)
    try:
        begun.write_bytes(packed(_found(database, place, numbers), numbers, checksum))
        begun.chmod((database.directory / place).stat().st_mode & 0o7777)
        with begun.open("rb") as file:
            os.fsync(file.fileno())
        begun.rename(path)
    except BaseException:
        # What a full disk has left of it would keep the disk full.
        begun.unlink(missing_ok=True)
        raise
    return path


def _found(database: Keeping, place: str, numbers: names.Numbers) -> pl.Series:
    """The numbers of all names in a sealed file, which is read some lines at a time."""
    source = f"read_parquet({database.file(place)})"
    there = {name for name, *_ in database.connection.execute(f"describe select * from {source}").fetchall()}
    texts = [name for name in ("raw", names.RECIPIENTS) if name in there]
    told = [f'"{name}"' for name in names.COLUMNS if name in there]
    told += [f"lower({name}) as {name}" for name in texts]
    # A connection of its own: the answer is read bit by bit.
    cursor = another(database.connection)
    parts: defaultdict[str, list[pl.Series]] = defaultdict(list)
    try:
        rows = cursor.sql(f"select {', '.join(told)} from {source}").to_arrow_reader(names.ROWS_AT_ONCE)
        for batch in rows:
            frame = pl.from_arrow(batch)
            assert isinstance(frame, pl.DataFrame)
            for kind, found in names.in_rows(frame).items():
                if len(found):
                    parts[kind].append(found)
    finally:
        cursor.close()
    whole = [
        pl.Series(numbers.of(kind, pl.concat(pieces).unique()), dtype=pl.UInt64)
        for kind, pieces in parts.items()
    ]
    return pl.concat([pl.Series([], dtype=pl.UInt64), *whole])


def opened(path: Path, checksum: str, secret: bytes) -> Index | None:
    """The index of a sealed file; None where there is none that is of use."""
    place = place_of(path)
    try:
        told = place.stat()
        index = _head(place, (told.st_ino, told.st_size, told.st_mtime_ns))
    except (OSError, DamagedIndexError):
        return None
    if index.checksum == checksum and index.secret == fingerprint(names.Numbers(secret)):
        return index
    return None


@lru_cache(OPENED)
def _head(place: Path, _state: tuple[int, int, int]) -> Index:
    """An index in some state of its file.  Raises OSError or DamagedIndexError."""
    return Index(place)


def make_next(database: Database) -> str | None:
    """Make the index of one sealed file that has none; gives the file, None where all have one."""
    secret = database.secret()
    for place, checksum in _files(database):
        path = database.directory / place
        if opened(path, checksum, secret) is None and path.exists():
            make(database, place, checksum, secret)
            return place
    return None


def damaged(database: Queries) -> list[tuple[str, str]]:
    """Indexes that are not as they were written: where, and what is wrong.  None is no damage."""
    found = []
    for place, checksum in _files(database):
        path = place_of(database.directory / place)
        try:
            index = Index(path)
            index.check()
            if index.checksum != checksum:
                found.append((place_of(Path(place)).as_posix(), "it is the index of another file"))
        except FileNotFoundError:
            continue
        except (OSError, DamagedIndexError) as error:
            found.append((place_of(Path(place)).as_posix(), str(error)))
    return found


def remove(database: Queries, places: list[str]) -> None:
    """Remove indexes by their place in the store."""
    for place in places:
        with suppress(FileNotFoundError):
            (database.directory / place).unlink()


def _files(database: Queries) -> list[tuple[str, str]]:
    """The sealed files of ``events`` that are of use: their place and SHA-256."""
    return database.connection.execute(
        "select path, checksum from own.manifest where name = ? and damage is null order by path desc",
        [EVENTS.name],
    ).fetchall()
