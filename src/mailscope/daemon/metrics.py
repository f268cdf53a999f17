"""The daemon's figures: what it counts, how its store is, how it does itself.

A scrape asks nothing of the loop and holds no lock of its: counts come from the tallies as of the last batch,
the store is looked at over a connection of its own, and not more often than every few seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol

import duckdb

from mailscope import __version__
from mailscope.intake.follow.files import FileFeed
from mailscope.intake.live import Feed
from mailscope.store.connecting import another
from mailscope.store.database import Database, Queries
from mailscope.store.restore import UnderWay
from mailscope.store.writer import Writer, Written
from mailscope.syslog.receiver.feed import Receiver
from mailscope.watch.metrics.families import OTHER, Values
from mailscope.watch.metrics.findings import FindingCounts, found
from mailscope.watch.metrics.histograms import BATCHES, put
from mailscope.watch.metrics.kept import of_store, of_version, seconds, timed
from mailscope.watch.metrics.labels import MOST, printable
from mailscope.watch.metrics.running import Running

if TYPE_CHECKING:
    from mailscope.daemon.held import Status

# Of the store, figures are not older than this.
STORE_S: Final = 5.0
DURATION: Final = "mailscope_daemon_batch_duration_seconds"


class Told(Protocol):
    """What is asked of a running service."""

    @property
    def status(self) -> Status:
        """How it is."""

    @property
    def feeds(self) -> list[Feed]:
        """Where lines come from."""

    @property
    def database(self) -> Database:
        """Its store."""

    def problems(self) -> Sequence[str]:
        """What goes wrong just now."""


class Measured:
    """The figures of one daemon."""

    def __init__(self) -> None:
        self._findings = FindingCounts()
        self._running = Running()
        self._batches: Values = {}
        # How old the newest line of the last batch was when it was stored.
        self.lag_s: float | None = None
        self._lock = threading.Lock()
        self._store: tuple[float, Values] = (-STORE_S, {})

    def follow(self, writer: Writer, *, first: bool = False) -> None:
        """Count what a writer writes; ``first``: by this daemon, so that what is there was counted before."""
        writer.leaving = self._running.leaving
        if first:
            self._running.begin(writer.hours)
            self._findings = FindingCounts(found(writer.database))

    def stored(self, under_way: UnderWay, written: Written, took_s: float) -> None:
        """A batch was stored; called by the loop."""
        self._running.stored(under_way.hours)
        batches = {name: dict(numbers) for name, numbers in self._batches.items()}
        put(batches, DURATION, (), BATCHES, took_s)
        self._batches = batches
        newest = written.events["time"].max() if written.lines else None
        if isinstance(newest, datetime):
            self.lag_s = max(0.0, time.time() - seconds(newest))

    def values(self, service: Told) -> Values:
        """All figures now."""
        begun = time.monotonic()
        with self._lock:
            values: Values = {
                **of_version(__version__),
                **self._running.values(),
                **self._of_store(service.database),
                **self._batches,
            }
        values |= _of_status(service.status, service.problems(), self.lag_s)
        values |= _of_feeds(service.feeds)
        return {**values, **timed(begun)}

    def _of_store(self, database: Database) -> Values:
        taken, values = self._store
        if time.monotonic() - taken >= STORE_S:
            try:
                with closing(another(database.connection)) as cursor:
                    looking = Queries(cursor, database.directory)
                    values = {**of_store(looking), **self._findings.values(found(looking))}
            except (duckdb.Error, OSError):
                # A store that fails must not keep the figures back which tell so; the loop says why it does.
                values = {"mailscope_store_readable": {(): 0}}
            self._store = time.monotonic(), values
        return values


# A path that is cut would be another one's.
LONGEST_PATH: Final = 1_024


def _of_status(status: Status, problems: Sequence[str], lag_s: float | None) -> Values:
    values: Values = {
        "mailscope_daemon_start_timestamp_seconds": {(): seconds(status.started)},
        "mailscope_daemon_storing": {(): 0 if status.problem else 1},
        "mailscope_daemon_problems": {(): len(problems)},
        "mailscope_daemon_stored_lines": {(): status.lines},
    }
    if status.last_batch is not None:
        values["mailscope_daemon_last_batch_timestamp_seconds"] = {(): seconds(status.last_batch)}
    if lag_s is not None:
        values["mailscope_daemon_lag_seconds"] = {(): lag_s}
    return values


def _of_feeds(feeds: Sequence[Feed]) -> Values:
    """What is followed, and how far it is behind."""
    waiting: dict[tuple[str, ...], float] = {}
    kinds = {"file": 0, "journal": 0, "listener": 0}
    values: Values = {}
    for feed in list(feeds):
        if isinstance(feed, FileFeed):
            found = feed.waiting_bytes()
            kinds["file"] += len(found)
            for number, (source, size) in enumerate(sorted(found.items())):
                place = (printable(source, LONGEST_PATH) if number < MOST else OTHER,)
                waiting[place] = waiting.get(place, 0) + size
        elif isinstance(feed, Receiver):
            kinds["listener"] += len(feed.counts)
            values |= _of_receiver(feed)
        else:
            kinds["journal"] += 1
    values["mailscope_sources"] = {(kind,): count for kind, count in kinds.items()}
    if waiting:
        values["mailscope_source_waiting_bytes"] = waiting
    return values


def _of_receiver(receiver: Receiver) -> Values:
    values: Values = {"mailscope_receiver_waiting_bytes": {(): receiver.waiting_bytes}}
    for name, counts in receiver.counts.items():
        place = (printable(name),)
        for family, number in (
            ("messages", counts.messages), ("bytes", counts.bytes), ("connections", counts.connections)
        ):  # fmt: skip
            values.setdefault(f"mailscope_receiver_{family}", {})[place] = number
        troubles = values.setdefault("mailscope_receiver_troubles", {})
        # Kinds that mean lost lines are shown before there are any.
        for kind in ("kernel", "queue", *counts.trouble.copy()):
            troubles[(*place, kind)] = counts.of(kind)
    return values
