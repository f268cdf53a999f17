"""The daemon's loop, on one page.

    feeds --take--> arrivals --privacy--> lines --sequence--> batch --writer--> store --stored--> feeds

At most once a second, in one thread: what has come is followed and stored in one transaction together with
the resume points, and only then the feeds are told.  Between batches, finished days are sealed a slice at a
time and old rows forgotten.  Whatever fails (a full disk) leaves the batch in hand: it is written again,
later and later, and nothing more is taken from the feeds until it is stored.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from mailscope.daemon.samplers import Sampled
from mailscope.intake.live import Arrival, Feed
from mailscope.recognise.events import Events
from mailscope.recognise.library import Library
from mailscope.sequence.live import LiveSequence
from mailscope.sequence.selection import Selection
from mailscope.store import upkeep
from mailscope.store.audit import enter
from mailscope.store.database import Database
from mailscope.store.known import Known
from mailscope.store.reader import Reader
from mailscope.store.sealing import next_slice, remove_strays, seal
from mailscope.store.writer import Writer
from mailscope.vocabulary.errors import MailscopeError
from mailscope.vocabulary.settings.keeping import Retention

# Read of all feeds together for one batch; a batch of so much is followed and stored in a few seconds.
BATCH_BYTES: Final = 4 << 20
# After a failure, so long until the next try; then twice as long, up to the longest.
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 60.0
HOURLY: Final = timedelta(hours=1)


@dataclass
class Status:
    """How the daemon is; ``problem``: what keeps it from storing, empty where nothing does."""

    started: datetime
    lines: int = 0
    batches: int = 0
    last_batch: datetime | None = None
    problem: str = ""
    waiting_bytes: int = 0
    retried: int = 0


@dataclass
class _InHand:
    """A batch that is taken and not yet stored, with the arrivals that it is made of, by feed."""

    batch: list[Events]
    taken: list[tuple[Feed, Sequence[Arrival]]]


@dataclass
class Service:
    """Feeds into a store.

    ``open``: opens the store (again, after a failure); ``clean``: what is done to bytes before anything
    looks at them (secrets, pseudonyms); ``samplers``: what gives rows of other tables now and then; ``say``:
    tells a person, once per change.
    """

    open: Callable[[], Database]
    library: Library
    zone: ZoneInfo
    feeds: list[Feed]
    say: Callable[[str], None]
    clean: Callable[[bytes], bytes] = bytes
    hosts: Sequence[str] = ()
    retention: Retention | None = None
    samplers: Sequence[Sampled] = ()
    watchers: list[Callable[[pl.DataFrame], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Held while the store is written, and by whoever looks at what is under way.
        self.lock = threading.Lock()
        self.status = Status(_now())
        self._in_hand: _InHand | None = None
        self._wait_s = 0.0
        self._again_at = 0.0
        self._upkeep_at = _now()
        self._start()

    def _start(self) -> None:
        self.database = self.open()
        remove_strays(self.database)
        self.writer = Writer(self.database, self.library, self.zone)
        self.sequence = LiveSequence(self.writer.engine, self.zone)
        # What is met for the first time may have been loaded by hand before.
        self._known = Known(self.database, self.writer.under_way.batch)
        self._resumed = frozenset(self.writer.resume_points())
        self._newest = self.database.value("select max(time) from events")

    @property
    def secret(self) -> bytes:
        """The store's own secret, made when it was first needed."""
        return self.database.secret()

    def step(self) -> bool:
        """One turn of the loop; whether there may be more to do at once."""
        if self._in_hand is None:
            self._in_hand = self._taken()
        if self._in_hand is not None:
            if time.monotonic() < self._again_at:
                return False
            return self._store(self._in_hand)
        return self._tidy()

    def _taken(self) -> _InHand | None:
        """What has come, followed as far as a batch."""
        taken: list[tuple[Feed, Sequence[Arrival]]] = []
        room = BATCH_BYTES
        for feed in self.feeds:
            arrivals = feed.take(room)
            if arrivals:
                taken.append((feed, arrivals))
                room -= sum(len(arrival.data) for arrival in arrivals)
            if room <= 0:
                break
        if not taken:
            return None
        cleaned = [
            replace(arrival, data=self.clean(arrival.data)) for _, arrivals in taken for arrival in arrivals
        ]
        batch = self.sequence.batch([arrival for arrival in cleaned if arrival.data], _now())
        selection = Selection(hosts=self.hosts)
        batch = [selection.apply(self._new(events)) for events in batch]
        return _InHand(batch, taken)

    def _new(self, events: Events) -> Events:
        """Lines that the store has no resume point of, without those that it holds all the same."""
        if events.source in self._resumed or self._newest is None or not len(events.raw):
            return events
        first = events.time.min()
        if isinstance(first, datetime) and first > self._newest:
            return events
        with self.lock:
            found = self._known.without([events])
        return found[0] if found else events.select(pl.Series([False]).new_from_index(0, len(events.raw)))

    def _store(self, held: _InHand) -> bool:
        import duckdb

        points = {arrival.source: arrival for _, arrivals in held.taken for arrival in arrivals}
        resume = {source: arrival.resume for source, arrival in points.items()}
        sets = {source: arrival.set_id for source, arrival in points.items()}
        try:
            with self.lock:
                if self._wait_s:
                    self._reopen()
                written = self.writer.write(held.batch, resume, sets)
        except (duckdb.Error, OSError, MailscopeError, MemoryError) as error:
            self._failed(error)
            return False
        if self._wait_s:
            self.say("the store takes lines again; none was lost")
        self._wait_s, self.status.problem = 0.0, ""
        for feed, arrivals in held.taken:
            feed.stored(arrivals)
        self._in_hand = None
        self.status.lines += written.lines
        self.status.batches += 1
        self.status.last_batch = _now()
        for watcher in self.watchers:
            watcher(written.events)
        return (
            sum(len(arrival.data) for _, arrivals in held.taken for arrival in arrivals) >= BATCH_BYTES // 2
        )

    def _failed(self, error: BaseException) -> None:
        """Keep the batch and say why, once per reason; the next try comes later than the last one did."""
        words = " ".join(str(error).split())[:300]
        if words != self.status.problem:
            self.say(f"the store cannot be written: {words}; lines wait where they are, the next try follows")
        self.status.problem = words
        self.status.retried += 1
        self._wait_s = min(self._wait_s * 2 or FIRST_WAIT_S, LONGEST_WAIT_S)
        self._again_at = time.monotonic() + self._wait_s

    def _reopen(self) -> None:
        """After a failure neither the file's connection nor what was followed can be trusted."""
        self.database.close()
        self.database = self.open()
        self.writer = Writer(self.database, self.library, self.zone)

    def _tidy(self) -> bool:
        """What is done while nothing comes, a little at a time; whether there is more of it."""
        import duckdb

        now = _now()
        try:
            self._sample(now)
            if now < self._upkeep_at:
                return False
            with self.lock:
                part = next_slice(self.database, now)
                if part is not None:
                    self.writer.checkpoint()
                    seal(self.database, part)
                    return True
                if self.retention is not None:
                    upkeep.expire(self.database, limits(self.retention, now))
        except (duckdb.Error, OSError) as error:
            self._failed(error)
            self._wait_s = 0.0
        self._upkeep_at = now + HOURLY
        return False

    def _sample(self, now: datetime) -> None:
        for each in self.samplers:
            rows = each.sampler.sample(now)
            if rows is not None:
                state = None if each.state is None else (each.state[0], each.state[1]())
                with self.lock:
                    self.writer.add(each.table, rows, state)

    def stop(self) -> None:
        """Finish the batch, keep the state, close everything."""
        while self._in_hand is not None and not self._wait_s:
            self._store(self._in_hand)
        for feed in self.feeds:
            feed.close()
        with self.lock:
            if not self.status.problem:
                self.writer.checkpoint()
            self.database.close()

    def reader(self) -> Reader:
        """Answers from the store as it is."""
        return Reader(self.database, self.library, self.zone, self.writer.under_way)

    def audit(self, who: str, what: str, asked: str) -> None:
        """Enter who looks at whose data, before it is shown."""
        enter(self.database.directory, who, what, asked)

    def mark(self, when: datetime, author: str, title: str, details: str) -> None:
        """Put a note on the time line."""
        row = {
            "time": when, "host": None, "kind": "note", "author": author, "title": title, "details": details
        }  # fmt: skip
        with self.lock:
            self.writer.add("marks", pl.DataFrame([row], schema_overrides={"time": pl.Datetime("us")}))

    def renew(self, feeds: list[Feed]) -> None:
        """Go on with other feeds, as when settings were read again."""
        self.feeds = feeds

    def problems(self) -> list[str]:
        """What goes wrong just now."""
        told = [self.status.problem] if self.status.problem else []
        return told + [problem for feed in self.feeds for problem in feed.problems()]


def limits(retention: Retention, now: datetime) -> dict[str, datetime]:
    """Before which instant rows of each kind are forgotten."""
    return {
        "events": now - timedelta(days=retention.events_days),
        "messages": now - timedelta(days=retention.messages_days),
        "deliveries": now - timedelta(days=retention.deliveries_days),
        "sessions": now - timedelta(days=retention.sessions_days),
        "links": now - timedelta(days=retention.messages_days),
        "marks": now - timedelta(days=retention.marks_days),
        "host_load": now - timedelta(days=retention.host_load_days),
        "host_disks": now - timedelta(days=retention.host_load_days),
        upkeep.HOURS: now - timedelta(days=retention.tallies_days),
        upkeep.NAMES: now - timedelta(days=retention.events_days),
        # With the lines, the names that they were counted by.
        upkeep.NAMES: now - timedelta(days=retention.events_days),
        upkeep.AUDIT: now - timedelta(days=retention.audit_days),
    }


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
