"""Files with the tallies of a day: its sum, and its hours.

    kind    'time': the day's tallies that tell days or hours apart; 'rest': its other ones; 'hour'
    hour    which one (UTC), of kind 'hour'
    data    as ``tallies.kept`` packs them

Each row is a row group, and the sums stand first, so that a reader takes no more from the disk than it needs.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from mailscope.store.database import Database, Queries
from mailscope.store.places import sync_directory
from mailscope.store.refusals import StoreError
from mailscope.store.sealing import BEGUN, SUFFIX, TALLIES, Segment, sha256
from mailscope.tallies import kept
from mailscope.tallies.ledger import Ledger

TIME, REST, HOUR = "time", "rest", "hour"
SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "kind": pl.String,
    "hour": pl.Datetime("us"),
    "data": pl.Binary,
}


@dataclass(frozen=True, slots=True)
class SealedDay:
    """A day with a file: its hours (``end`` exclusive, naive UTC), time zone, and whether it names persons.

    ``made``: when the file was written.
    """

    start: datetime
    end: datetime
    zone: ZoneInfo
    path: str
    nameless: bool
    made: datetime

    def alike(self, zone: ZoneInfo) -> bool:
        """Whether it is a day of another zone as well, which tells the same time then."""
        return kept.alike(self.zone, zone, (self.start, self.end - timedelta(hours=1)))


# Hours with their packed tallies, in order.
Hours = Sequence[tuple[datetime, bytes]]


def sealed_days(
    looking: Queries, since: datetime | None = None, until: datetime | None = None, *, whole: bool = True
) -> list[SealedDay]:
    """The days of which any hour is within a span (naive UTC; None: open), in order.

    Those with a file that is missing, cut or set aside are left out, as of lines; not ``whole``: only those
    that are gone.
    """
    if not looking.has("days"):
        return []
    rows = looking.connection.execute(
        'select start, "end", zone, path, nameless, made, damage, bytes from own.days '
        'join own.manifest using (path) where start < coalesce(?, "end") and "end" > coalesce(?, start) '
        "order by start",
        [until, since],
    ).fetchall()
    return [
        SealedDay(start, end, ZoneInfo(zone), path, nameless, made)
        for start, end, zone, path, nameless, made, damage, size in rows
        if ((there := looking.size(path)) == size and damage is None) or (not whole and there is not None)
    ]


def sums(looking: Queries, day: SealedDay, *, by_time: bool) -> list[bytes]:
    """A day's sum; ``by_time``: only of tallies that tell days or hours apart."""
    return rows(looking, day, 1 if by_time else 2)["data"].to_list()


def hours(looking: Queries, day: SealedDay) -> Hours:
    """The hours of a day."""
    found = rows(looking, day).filter(pl.col("kind") == HOUR)
    return list(found.select("hour", "data").iter_rows())


def rows(looking: Queries, day: SealedDay, most: int | None = None) -> pl.DataFrame:
    """The first rows of a day's file, or all.  Raises StoreError where they cannot be read."""
    path = looking.directory / day.path
    try:
        return pl.read_parquet(path, n_rows=most, hive_partitioning=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        words = " ".join(str(error).split())[:200]
        what = "put it back from a backup, or run 'mailscope store verify --set-aside'"
        raise StoreError(f"it cannot be read ({words})", str(path), what) from error


def summed(whole: Ledger, hours: Hours) -> pl.DataFrame:
    """The rows of a day's file: its sum, and its hours."""
    sums = [(TIME, None, kept.to_bytes(whole.by_time())), (REST, None, kept.to_bytes(whole.others()))]
    return pl.DataFrame([*sums, *((HOUR, hour, data) for hour, data in hours)], schema=SCHEMA, orient="row")


def write(database: Database, day: SealedDay, rows: pl.DataFrame, number: int) -> Segment:
    """Write a day's file, whole and on the disk before it has its name; ``number``: of the file."""
    name = day.start.replace(tzinfo=UTC).astimezone(day.zone).date()
    place = f"{TALLIES}/day={name}/part-{number:06}{SUFFIX}"
    path = database.directory / place
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    begun = path.with_suffix(BEGUN)
    out = io.BytesIO()
    # They are packed already; statistics would be whole tallies once more.
    rows.write_parquet(out, compression="uncompressed", statistics=False, row_group_size=1)
    try:
        with begun.open("wb") as file:
            file.write(out.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        checksum, size = sha256(begun)
        begun.rename(path)
    except BaseException:
        # What a full disk has left of it would keep the disk full.
        begun.unlink(missing_ok=True)
        raise
    for directory in (path.parent, path.parent.parent, database.directory):
        sync_directory(directory)
    hours = rows["hour"].drop_nulls()
    return Segment(place, len(rows), size, hours[0], hours[-1], checksum)


def enter(database: Database, day: SealedDay, file: Segment) -> None:
    """Name a day's file, within a transaction."""
    run = database.connection.execute
    run(
        "insert into own.manifest values (?, ?, ?, ?, ?, ?, ?, ?, null)",
        [file.path, TALLIES, day.start.date(), file.rows, file.size, file.first, file.last, file.checksum],
    )
    run(
        "insert into own.days values (?, ?, ?, ?, ?, ?)",
        [day.start, day.end, str(day.zone), file.path, day.nameless, day.made],
    )


def leave(database: Database, days: Iterable[SealedDay]) -> None:
    """Name the files of days no more, within a transaction."""
    for day in days:
        for table in ("days", "manifest"):
            database.connection.execute(f"delete from own.{table} where path = ?", [day.path])


def unlink(database: Database, days: Iterable[SealedDay]) -> None:
    """Remove the files of days, after the transaction that named them no more."""
    for day in days:
        (database.directory / day.path).unlink(missing_ok=True)
