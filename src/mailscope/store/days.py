"""Tallies of days that are over, in files of their own, so that a sum over weeks need not unpack every hour.

    own.hours                                     hour, batch, data: hours as they come, in parts
    tallies/day=YYYY-MM-DD/part-NNNNNN.parquet    kind, hour, data: the day's sum, and its hours
    own.days                                      which files these are, and of which hours; own.manifest, too

A day is sealed as its lines are (``sealing.py``): a file is written, and one transaction names it and takes
the hours out of the database, which is not made for much in such large pieces.  What comes for an hour
later stands in ``own.hours`` and is added when a day is looked at, until there is enough for the file to be
written anew.  So an hour is what the file and the database have of it, at any moment.

A day is that of the daemon's time zone; hours (UTC) belong to the day that they begin in.  When the zone is
set to another one, the days of the old one become hours again, and then days, one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from mailscope.store import day_files
from mailscope.store.database import Database, Queries
from mailscope.store.day_files import SealedDay
from mailscope.tallies import kept
from mailscope.tallies.hours import NO_TIME
from mailscope.tallies.keys import day_of
from mailscope.tallies.ledger import Ledger
from mailscope.vocabulary.calendar import Calendar

HOUR: Final = timedelta(hours=1)
# A day's lines come so long after its end; what comes later is added to it.
SETTLED: Final = timedelta(hours=2)
# So many parts of hours make it worth to write a day's file anew, but only so often.
LATE_PARTS: Final = 12
ANEW: Final = timedelta(hours=1)
# What the store says of itself: the zone of tallies that were kept before the zone was kept with them.
ZONE: Final = "zone"
# The batch of hours that name nobody: no other has it.
NAMELESS: Final = -1

Span = tuple[datetime, datetime]


def note_zone(database: Database, zone: ZoneInfo) -> None:
    """Note the zone of tallies that tell none: that of who writes the store first after they were kept."""
    if database.about(ZONE) is None:
        with database.transaction():
            database.set_about(ZONE, str(zone))


def untold(looking: Queries, zone: ZoneInfo) -> ZoneInfo:
    """The zone of tallies that tell none; ``zone``: where nobody has noted it yet."""
    return ZoneInfo(looking.about(ZONE) or str(zone))


def tidy(database: Database, zone: ZoneInfo, now: datetime) -> bool:
    """Seal a day of a zone that is over, or write one anew; whether there was any (``now`` is naive UTC)."""
    sealed = day_files.sealed_days(database)
    others = [day for day in sealed if not day.alike(zone)]
    for span in _over(database, zone, now):
        meets = [day for day in sealed if day.start < span[1] and day.end > span[0]]
        if not meets:
            _seal(database, SealedDay(*span, zone, "", False, now))
            return True
        if meets[0] not in others and _worth_it(database, meets[0], now):
            _seal(database, replace(meets[0], made=now), meets[0])
            return True
    if others:
        _unseal(database, others[0])
    return bool(others)


def tidy_all(database: Database, zone: ZoneInfo, now: datetime) -> None:
    """Seal all days that are over: of the zone of those that are sealed, or else of this one."""
    sealed = day_files.sealed_days(database)
    while tidy(database, sealed[-1].zone if sealed else zone, now):
        pass


def forget_names(database: Database, before: datetime) -> int:
    """Write days anew that ended before an instant and name persons, without the names; how many hours."""
    count = 0
    for day in day_files.sealed_days(database, until=before):
        if day.end <= before and not day.nameless:
            count += _seal(database, replace(day, nameless=True), day)
    return count


def expire(database: Database, before: datetime) -> list[SealedDay]:
    """Name the files of days no more that ended before an instant, within a transaction; gives the days."""
    old = [day for day in day_files.sealed_days(database, until=before) if day.end <= before]
    day_files.leave(database, old)
    return old


def hours(looking: Queries) -> Iterator[tuple[datetime, bytes]]:
    """All that is kept of hours, those of sealed days first."""
    for day in day_files.sealed_days(looking):
        yield from day_files.hours(looking, day)
    yield from hot(looking, None, None)


def _over(database: Queries, zone: ZoneInfo, now: datetime) -> Iterator[Span]:
    """Days that are over and have hours in the database, the earliest first."""
    hours = database.frame(
        "select distinct hour from own.hours where hour > ? and hour < ?", [NO_TIME, now - SETTLED]
    )
    days = hours.select(day_of("hour", str(zone)).alias("day"))["day"].unique().sort()
    calendar = Calendar("day", zone)
    for day in days:
        span = calendar.of_day(day)
        start, end = _hour_from(span.start), _hour_from(span.end)
        if end + SETTLED <= now:
            yield start, end


def _hour_from(instant: datetime) -> datetime:
    """The first whole hour from an instant on."""
    begun = instant.replace(minute=0, second=0, microsecond=0)
    return begun if begun == instant else begun + HOUR


def _worth_it(database: Queries, day: SealedDay, now: datetime) -> bool:
    """Whether enough has come for a sealed day to write its file anew."""
    late = database.value("select count(*) from own.hours where hour >= ? and hour < ?", [day.start, day.end])
    return int(late) >= LATE_PARTS and not now - ANEW < day.made <= now


def _seal(database: Database, day: SealedDay, old: SealedDay | None = None) -> int:
    """Make a day's file of its hours in the database and in the file that it has already; how many hours."""
    hours = _hours(database, day, old)
    whole = Ledger(zone=day.zone)
    packed = []
    theirs = untold(database, day.zone)
    for hour, parts in sorted(hours.items()):
        ledger = Ledger(zone=day.zone)
        for data in parts:
            ledger.merge(kept.from_bytes(data, day.zone, hour=hour, untold=theirs))
        ledger = ledger.nameless() if day.nameless else ledger
        whole.merge(ledger)
        packed.append((hour, kept.to_bytes(ledger)))
    number = int(database.about("segment") or 0) + 1
    file = day_files.write(database, day, day_files.summed(whole, packed), number)
    with database.transaction():
        database.set_about("segment", str(number))
        if old is not None:
            day_files.leave(database, [old])
        day_files.enter(database, day, file)
        database.connection.execute(
            "delete from own.hours where hour >= ? and hour < ?", [day.start, day.end]
        )
    if old is not None:
        day_files.unlink(database, [old])
    return len(packed)


def _hours(database: Database, day: SealedDay, old: SealedDay | None) -> dict[datetime, list[bytes]]:
    hours: dict[datetime, list[bytes]] = {}
    before = day_files.hours(database, old) if old is not None else []
    for hour, data in [*before, *hot(database, day.start, day.end)]:
        hours.setdefault(hour, []).append(data)
    return hours


def _unseal(database: Database, day: SealedDay) -> None:
    """Make hours again of a day."""
    hours = day_files.hours(database, day)
    with database.transaction():
        day_files.leave(database, [day])
        for hour, data in hours:
            database.connection.execute(
                "insert into own.hours values (?, ?, ?)", [hour, NAMELESS if day.nameless else 0, data]
            )
    day_files.unlink(database, [day])


def hot(looking: Queries, since: datetime | None, until: datetime | None) -> list[tuple[datetime, bytes]]:
    """What the database has of the hours of a span (naive UTC; None: open), in order."""
    import duckdb

    run = looking.connection.execute
    span = "hour >= coalesce(?, hour) and (?::timestamp is null or hour < ?)"
    values = [since, until, until]
    try:
        rows = run(f"select hour, data from own.hours where {span} order by hour, batch", values).fetchall()
    except duckdb.OutOfMemoryException:
        # As of a store of which no day is sealed yet: one after the other.
        numbers = run(
            f"select hour, rowid from own.hours where {span} order by hour, batch", values
        ).fetchall()
        rows = [
            (hour, looking.value("select data from own.hours where rowid = ?", [row]))
            for hour, row in numbers
        ]
    return [(hour, bytes(data)) for hour, data in rows]


def under_way_elsewhere(
    looking: Queries, since: datetime | None, until: datetime | None
) -> list[tuple[datetime, bytes]]:
    """What messages under way at the hosts that a cluster follows would add, ended now, by their hours."""
    if not looking.has("host_hours"):
        return []
    rows = looking.connection.execute(
        "select hour, data from own.host_hours where hour >= coalesce(?, hour) "
        "and (?::timestamp is null or hour < ?) order by hour, host",
        [since, until, until],
    ).fetchall()
    return [(hour, bytes(data)) for hour, data in rows]
