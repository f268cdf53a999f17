"""Figures that a store holds: its queue, its size, the host's last samples, and the counts of all its hours.

In: a connection to the store.  Out: numbers of the families, by SQL over hot rows and the manifest only;
sealed files are not opened.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final
from zoneinfo import ZoneInfo

from mailscope.store import day_files, days
from mailscope.store.connecting import log_of
from mailscope.store.database import FILE, Queries
from mailscope.tallies.hours import Hours
from mailscope.tallies.kept import from_bytes
from mailscope.vocabulary.instants import naive_now
from mailscope.vocabulary.tables import EVENTS, TABLES
from mailscope.watch.metrics.counting import NAMES, counted
from mailscope.watch.metrics.families import DISKS, HOST, QUEUES, Values
from mailscope.watch.metrics.labels import Labels, printable
from mailscope.watch.metrics.running import added

# A sample that is older tells nothing of now.
STALE_S: Final = 600
# What is in the queue: as ``tallies/tables.py`` has it, a message that was taken in whole and has not left.
IN_QUEUE: Final = "ended is null and not closed and (size_bytes is not null or held or origin is null)"
QUEUE: Final = (
    "select case when held then 'hold' when deferred then 'deferred' else 'active' end as queue, "
    "count(*), coalesce(sum(size_bytes), 0), min(first_time) "
    f"from hot.messages where {IN_QUEUE} and {{}} group by queue"
)
# The newest look at the queues themselves, where it is not stale; lines are asked of other hosts.
NOT_SEEN: Final = (
    "split_part(lower(coalesce(host, '')), '.', 1) not in "
    f"(select lower(host) from hot.queue_snapshots where time > ? - to_seconds({STALE_S}))"
)
SNAPSHOT: Final = (
    "select case when queue_name in ('hold', 'deferred') then queue_name else 'active' end as queue, "
    "sum(messages), coalesce(sum(size_bytes), 0), min(oldest_time) from hot.queue_snapshots "
    f"where queue_name is not null and queue_name <> 'corrupt' and time > ? - to_seconds({STALE_S}) "
    "and time = (select max(time) from hot.queue_snapshots) group by 1"
)
SEALED: Final = (
    "select name, sum(row_count), sum(bytes), count(*), count(damage), "
    "arg_max(path, cast(regexp_extract(path, 'part-([0-9]+)', 1) as bigint)) from own.manifest group by name"
)


def of_store(looking: Queries, now: datetime | None = None) -> Values:
    """Gauges of a store; ``now`` is naive UTC."""
    now = now or naive_now()
    found = {**queue(looking, now), **size(looking), **host(looking, now)}
    return {**found, "mailscope_store_readable": {(): 1}}


def queue(looking: Queries, now: datetime) -> Values:
    """How many messages are in the queue, and since when."""
    messages: dict[tuple[str, ...], float] = {(name,): 0 for name in QUEUES}
    sizes, ages = dict(messages), dict(messages)
    told = looking.connection.execute(SNAPSHOT, [now]).fetchall()
    told += looking.connection.execute(QUEUE.format(NOT_SEEN), [now]).fetchall()
    for name, count, total, first in told:
        messages[(name,)] += int(count)
        sizes[(name,)] += int(total)
        ages[(name,)] = max(ages[(name,)], (now - first).total_seconds() if first else 0.0)
    return {
        "mailscope_queue_messages": messages,
        "mailscope_queue_bytes": sizes,
        "mailscope_queue_oldest_age_seconds": ages,
    }


def size(looking: Queries) -> Values:
    """How large the store is, and how far it is sealed."""
    # One by one: as one statement they take six times as long.
    counts = {name: int(looking.value(f"select count(*) from hot.{name}")) for name in TABLES}
    sealed = {name: rest for name, *rest in looking.connection.execute(SEALED).fetchall()}
    values: Values = {
        "mailscope_store_rows": {},
        "mailscope_store_hot_rows": {},
        "mailscope_store_sealed_files": {},
    }
    damaged, total, sealings = 0, _of_database(looking), [0.0]
    for name, count in counts.items():
        rows, _, files, *_ = sealed.get(name, (0, 0, 0))
        values["mailscope_store_rows"][(name,)] = count + int(rows)
        values["mailscope_store_hot_rows"][(name,)] = count
        values["mailscope_store_sealed_files"][(name,)] = files
    # Tallies of days are files, too.
    for _, held, _, broken, newest in sealed.values():
        damaged += broken
        total += int(held)
        if newest is not None:
            with suppress(FileNotFoundError):
                sealings.append((looking.directory / newest).stat().st_mtime)
    values["mailscope_store_damaged_files"] = {(): damaged}
    values["mailscope_store_bytes"] = {(): total}
    if any(sealings):
        values["mailscope_store_last_sealing_timestamp_seconds"] = {(): max(sealings)}
    last = looking.span(EVENTS)[1]
    if last is not None:
        values["mailscope_last_line_timestamp_seconds"] = {(): seconds(last)}
    return values


def _of_database(looking: Queries) -> int:
    """Bytes of the database and of what is not in it yet."""
    found = 0
    path = looking.directory / FILE
    for each in (path, log_of(path)):
        with suppress(FileNotFoundError):
            found += each.stat().st_size
    return found


def host(looking: Queries, now: datetime) -> Values:
    """The host's load and space, of the last samples."""
    values: Values = {}
    for sample in _last(looking, "host_load", "host", now):
        for figure in HOST:
            if sample[figure.column] is not None:
                values[figure.family.name] = {(): sample[figure.column] * figure.factor}
    for sample in _last(looking, "host_disks", "path", now):
        for figure in DISKS:
            if sample[figure.column] is not None:
                values.setdefault(figure.family.name, {})[(printable(sample["path"]),)] = sample[
                    figure.column
                ]
    return values


def _last(looking: Queries, table: str, by: str, now: datetime) -> list[dict[str, Any]]:
    """The newest sample of each ``by``, where it is not stale."""
    names = TABLES[table].names
    chosen = ", ".join(names)
    rows = looking.connection.execute(
        f"select {chosen} from hot.{table} where time > ? - to_seconds({STALE_S}) "
        f"qualify row_number() over (partition by {by} order by time desc) = 1",
        [now],
    ).fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]


def of_hours(looking: Queries, under_way: Hours, zone: ZoneInfo) -> Values:
    """The counts of all days and hours that the store keeps, and of what is not kept yet.

    One after the other, so that memory does not grow with them.
    """
    labels = Labels()
    values = counted(under_way.ledgers, labels)
    sealed = (
        (day.start, data)
        for day in day_files.sealed_days(looking, None, None)
        for data in day_files.sums(looking, day, by_time=False)
    )
    for begin, data in chain(sealed, days.hot(looking, None, None)):
        values = added(values, counted({begin: from_bytes(data, zone, only=NAMES)}, labels))
    return values


def seconds(instant: datetime) -> float:
    """A naive instant in UTC as seconds since 1970."""
    return instant.replace(tzinfo=UTC).timestamp()


def timed(begun: float) -> Values:
    """How long it took to make figures, from when it was begun (monotonic seconds)."""
    return {"mailscope_scrape_duration_seconds": {(): time.monotonic() - begun}}


def of_version(version: str) -> Mapping[str, dict[tuple[str, ...], float]]:
    """Which version runs."""
    return {"mailscope_build_info": {(version,): 1}}
