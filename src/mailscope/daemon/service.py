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
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, cast
from zoneinfo import ZoneInfo

import duckdb
import polars as pl

from mailscope.daemon.between import Between, Looking, Shared
from mailscope.daemon.errand import Errand
from mailscope.daemon.feeds import waiting_bytes
from mailscope.daemon.held import InHand, Status, plainly
from mailscope.daemon.keeping import Upkeep
from mailscope.daemon.metrics import Measured
from mailscope.daemon.samplers import Sampled
from mailscope.daemon.trouble import Trouble, keeping, storing
from mailscope.intake.live import Arrival, Feed
from mailscope.recognise.events import Events
from mailscope.recognise.library import Library
from mailscope.sequence.live import LiveSequence
from mailscope.sequence.selection import Selection
from mailscope.store.database import Database
from mailscope.store.ingest import Loading
from mailscope.store.known import Known
from mailscope.store.reader import Reader
from mailscope.store.sealing import remove_strays
from mailscope.store.writer import Writer, Written
from mailscope.vocabulary.errors import MailscopeError
from mailscope.vocabulary.instants import naive_now
from mailscope.vocabulary.settings.keeping import Retention
from mailscope.vocabulary.tables import EVENTS
from mailscope.watch.alerts.alerting import Alerting, nobody
from mailscope.watch.watching import Watching

# Read of all feeds together for one batch; a batch of so much is followed and stored in a few seconds.
BATCH_BYTES: Final = 4 << 20
# What came over sockets is stored within this time, when the daemon ends; systemd's patience is longer.
STOP_S: Final = 30.0
AGAIN_S: Final = 0.05
# What a host does to a program, and may stop doing; anything else is a mistake of ours.
FAILURES: Final = (duckdb.Error, OSError, MailscopeError, MemoryError)
# However much waits, what is done between batches is not put off for longer.
TIDY_S: Final = 5.0
# So often detections are told that time passes, where no line comes.
WATCH: Final = timedelta(seconds=10)


@dataclass
class Service:
    """Feeds into a store.

    ``open``: opens the store (again, after a failure); ``clean``: what is done to bytes before anything
    looks at them (secrets, pseudonyms); ``archive``: what they are given to then; ``samplers``: what gives
    rows of other tables; ``say``: tells a person, once per change; ``errands``: what children do
    from time to time; ``watching``: looks for trouble in what comes; ``alerting``: tells people of it.
    """

    open: Callable[[], Database]
    library: Library
    zone: ZoneInfo
    feeds: list[Feed]
    say: Callable[[str], None]
    clean: Callable[[bytes], bytes] = bytes
    archive: Callable[[bytes], object] = len
    hosts: Sequence[str] = ()
    retention: Retention | None = None
    samplers: Sequence[Sampled] = ()
    watchers: list[Callable[[pl.DataFrame], None]] = field(default_factory=list)
    errands: Sequence[Errand] = ()
    watching: Watching | None = None
    alerting: Alerting = field(default_factory=nobody)

    def __post_init__(self) -> None:
        # Held while the store is written, and by whoever looks at what is under way.
        self.lock = threading.RLock()
        self.between, self.looking = Between(), Looking()
        self.loading: Loading | None = None  # logs that a client loads
        self.status = Status(naive_now())
        self._in_hand: InHand | None = None
        self._tidied_at = time.monotonic()
        self._storing, self._keeping = storing(self.say), keeping(self.say)
        self._stale = False
        # The batch in hand, where it turned out to be stored although an error had come.
        self._stored_after_all: Written | None = None
        self._samples: list[tuple[str, pl.DataFrame, tuple[str, str] | None]] = []
        self._watch_at = naive_now()
        self.upkeep = Upkeep(self._watch_at)
        # Feeds that the settings want no more, until all that came over them is taken.
        self._ending: list[Feed] = []
        self.measured = Measured()
        self._start()

    def _start(self) -> None:
        self.database = self.open()
        remove_strays(self.database)
        self.writer = Writer(self.database, self.library, self.zone, self.watching)
        self.measured.follow(self.writer, first=True)
        self.sequence = LiveSequence(self.writer.engine, self.zone)
        # What is met for the first time may have been loaded by hand before.
        self._known = Known(self.database, self.writer.under_way.batch)
        self._resumed = frozenset(self.writer.resume_points())
        self._newest = self.database.span(EVENTS)[1]

    @property
    def secret(self) -> bytes:
        """The store's own secret, made when it was first needed."""
        return self.database.secret()

    def step(self) -> bool:
        """One turn of the loop; whether there may be more to do at once."""
        # What was asked for before anything is taken is done after all that had come until then.
        asked = len(self.between)
        if self._in_hand is None:
            self._in_hand = self._taken()
        more = False
        if self._in_hand is not None:
            more = self._tried(self._storing, self._store)
        if asked and not more and self._in_hand is None:
            self._do_asked()
            more = True
        # Where lines come all the time, finished days must be sealed and findings told all the same.
        if more and time.monotonic() - self._tidied_at < TIDY_S:
            return True
        tidied = self._tried(self._keeping, self._tidy)
        self._tidied_at = time.monotonic()
        return more or tidied

    def _do_asked(self) -> None:
        """One piece of work of others."""
        error = self.between.one()
        if isinstance(error, (duckdb.Error, OSError, MemoryError)):
            self.spoil()

    def spoil(self) -> None:
        """Work of others has failed: what is followed cannot be trusted until the store is opened again."""
        # It is not the batch in hand that could not be written.
        self.writer.attempted = None
        self._stale = True

    def _tried(self, trouble: Trouble, work: Callable[[], bool]) -> bool:
        """Do some work, unless it is too early after it failed; whether there is more of it."""
        if trouble.waiting:
            return False
        try:
            if self._stale:
                self._reopen()
            more = work()
        except FAILURES as error:
            trouble.met(error)
            # Neither the file's connection nor what was followed can be trusted from here on.
            self._stale = True
            with suppress(*FAILURES):
                # Questions can be answered until the next try; whether it can be opened is said then.
                self._reopen()
            return False
        finally:
            self.status.problem = self._storing.problem or self._keeping.problem
        trouble.passed()
        return more

    def _taken(self, feeds: Sequence[Feed] | None = None) -> InHand | None:
        """What has come over all feeds, or some, as lines in order of time."""
        taken: list[tuple[Feed, Sequence[Arrival]]] = []
        room = BATCH_BYTES
        for feed in (*self.feeds, *self._still_ending()) if feeds is None else feeds:
            arrivals = feed.take(room)
            if arrivals:
                taken.append((feed, arrivals))
                room -= sum(len(arrival.data) for arrival in arrivals)
            if room <= 0:
                break
        if not taken:
            return None
        came = [arrival for _, arrivals in taken for arrival in arrivals]
        cleaned = [replace(arrival, data=self.clean(arrival.data)) for arrival in came]
        arrivals = [arrival for arrival in cleaned if arrival.data]
        self.archive(b"".join(arrival.data for arrival in arrivals))
        try:
            return InHand(taken, arrivals, self.sequence.batch(arrivals, naive_now()))
        except MemoryError:
            raise
        except Exception as error:
            return InHand(taken, arrivals, plainly(arrivals, error, self.zone, self.say), plain=True)

    def _new(self, events: Events) -> Events:
        """Lines that the store has no resume point of, without those that it holds all the same."""
        if events.source in self._resumed or self._newest is None or not len(events.raw):
            return events
        first = events.time.min()
        if isinstance(first, datetime) and first > self._newest:
            return events
        found = self._known.without([events])
        return found[0] if found else events.select(pl.Series([False]).new_from_index(0, len(events.raw)))

    def _store(self) -> bool:
        """Store the batch in hand; whether more is likely to wait."""
        held, begun = self._in_hand, time.monotonic()
        assert held is not None
        points = {arrival.source: arrival for _, arrivals in held.taken for arrival in arrivals}
        resume = {source: arrival.resume for source, arrival in points.items()}
        sets = {source: arrival.set_id for source, arrival in points.items()}
        selection = Selection(hosts=self.hosts)
        with self.lock:
            written = self._stored_after_all
            if written is None:
                # One by one: after a failure in between it goes on where it was.
                while held.lines:
                    held.batch.append(selection.apply(self._new(held.lines[0])))
                    del held.lines[0]
                try:
                    written = self.writer.write(held.batch, resume, sets)
                except FAILURES:
                    raise
                except Exception as error:
                    if held.plain:
                        raise
                    held.lines = plainly(held.arrivals, error, self.zone, self.say)
                    held.batch, held.plain = [], True
                    self.writer.recover()
                    return True
        self._stored_after_all = None
        for feed, arrivals in held.taken:
            feed.stored(arrivals)
        self._in_hand = None
        self.status.lines += written.lines
        self.status.batches += 1
        self.status.last_batch = naive_now()
        self.measured.stored(self.writer.under_way, written, time.monotonic() - begun)
        if self.loading is not None and len(written.events):
            self.loading.known.come(written.events["time"])
        for watcher in self.watchers:
            watcher(written.events)
        with self.lock:
            self.writer.settle()
        return held.size >= BATCH_BYTES // 2

    def _reopen(self) -> None:
        """Open the store again and follow anew what is under way in it."""
        with self.lock:
            attempted = self.writer.attempted
            self.database.close()
            self.begin_anew()
            if attempted is not None and self.writer.under_way.batch == attempted[0]:
                # It was on the disk when what came after it failed: written again, it would be there twice.
                self._stored_after_all = attempted[1]
            self._stale = False

    def begin_anew(self) -> None:
        """Open the store, which was closed, and follow what is under way in it; the lock is held."""
        self.database = self.open()
        remove_strays(self.database)
        self.loading = None
        self.writer = Writer(self.database, self.library, self.zone, self.watching)
        self.measured.follow(self.writer)
        # What it has looked up may have been changed meanwhile.
        self._known = Known(self.database, self._known.batch, met=self._known.met)
        self.sequence.read_by(self.writer.engine)

    def _tidy(self) -> bool:
        """What is done between batches, a little at a time; whether there is more of it."""
        now = naive_now()
        for errand in self.errands:
            errand.step(now)
        self._sample(now)
        if now >= self._watch_at:
            self._watch_at = now + WATCH
            with self.lock:
                self.writer.pass_time()
        with self.lock:
            self.alerting.step(self.database, now)
        with self.lock:
            return self.upkeep.step(self.writer, self.retention, now)

    def _sample(self, now: datetime) -> None:
        if not self._samples:
            for each in self.samplers:
                rows = each.sampler.sample(now)
                if rows is not None:
                    state = None if each.state is None else (each.state[0], each.state[1]())
                    self._samples.append((each.table, rows, state))
        # Those that could not be stored are kept, and no others taken meanwhile.
        while self._samples:
            with self.lock:
                self.writer.add(*self._samples[0])
            del self._samples[0]

    def finish(self) -> bool:
        """Store the batch in hand now; whether there is none any more."""
        if self._in_hand is not None:
            self._tried(self._storing, self._store)
        return self._in_hand is None

    def stop(self) -> None:
        """Finish the batch, store what has come over sockets, keep the state, close everything.

        What cannot be stored is read again later, but for what came over sockets: that is tried for a while.
        """
        self.between.close()
        self.finish()
        until = time.monotonic() + STOP_S
        while (left := self._unrepeatable()) is not None and time.monotonic() < until:
            if self._in_hand is None:
                self._in_hand = self._taken(left)
            if self._in_hand is None or not self.finish():
                time.sleep(AGAIN_S)
        for feed in (*self.feeds, *self._ending):
            feed.close()
        if left is not None:
            self.say(
                "not all that came over the syslog sockets could be stored in time; the rest of it is lost"
            )
        if self._in_hand is None:
            self._tried(self._keeping, self._last)
        self.database.close()

    def _unrepeatable(self) -> list[Feed] | None:
        """Feeds with something that cannot be read again; None where all of that is stored."""
        left = [feed for feed in (*self.feeds, *self._ending) if feed.end()]
        held = self._in_hand is not None and self._in_hand.unrepeatable
        return left if left or held else None

    def _still_ending(self) -> list[Feed]:
        for feed in [feed for feed in self._ending if not feed.end()]:
            self._ending.remove(feed)
            feed.close()
        return self._ending

    def _last(self) -> bool:
        with self.lock:
            self.alerting.close(self.database)
            self.writer.checkpoint()
        return False

    def reader(self) -> Reader:
        """Answers from the store as it is."""
        return Reader(cast(Database, Shared(self)), self.library, self.zone, self.writer.under_way)

    def waiting_bytes(self) -> int:
        """Of followed files and received messages, what is not taken yet."""
        return waiting_bytes(self.feeds)

    def metrics(self, accept: str) -> tuple[bytes, str]:
        """Figures for Prometheus, as the Accept header asks, and their content type."""
        from mailscope.watch.metrics.exposition import page

        return page(self.measured.values(self), accept, process=True)

    def add(self, table: str, rows: pl.DataFrame) -> None:
        """Store rows of a table that come from no line."""
        with self.lock:
            self.writer.add(table, rows)

    def renew(self, feeds: list[Feed]) -> None:
        """Go on with other feeds, as when settings were read again; nothing may be in hand.

        What has come over those that are not among them is still taken.
        """
        self._ending += [feed for feed in self.feeds if not any(feed is other for other in feeds)]
        self.feeds = feeds

    def recognise_by(self, library: Library) -> None:
        """Read what comes by other patterns from now on."""
        self.library = library
        self._stale = True

    def problems(self) -> list[str]:
        """What goes wrong just now."""
        told = [f"{each.what}: {each.problem}" for each in (self._storing, self._keeping) if each.problem]
        told += [errand.problem for errand in self.errands if errand.problem]
        told += self.alerting.problems()
        told += [] if self.feeds else ["nothing is followed and nothing listens"]
        told += [problem for each in self.samplers for problem in each.sampler.problems]
        return told + [problem for feed in self.feeds for problem in feed.problems()]
