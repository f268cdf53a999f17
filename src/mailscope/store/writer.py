"""Batches into the store: rows and resume points in one transaction each, and now and then the state."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from mailscope.intake.live import Resume
from mailscope.recognise.engine import Engine
from mailscope.recognise.events import Events
from mailscope.recognise.library import Library
from mailscope.store import days, state
from mailscope.store.alongside import ALONGSIDE, Alongside
from mailscope.store.connecting import given
from mailscope.store.database import Database
from mailscope.store.following import StoreTracker
from mailscope.store.meanwhile import meanwhile
from mailscope.store.restore import APART, APART_BATCHES, STATE, UnderWay, restore
from mailscope.store.rows import delivery_rows, event_rows, link_rows, message_rows, session_rows
from mailscope.store.schema import STATE_TABLE
from mailscope.store.spellings import spellings
from mailscope.tallies import kept
from mailscope.tallies.hours import Hours
from mailscope.tallies.ledger import Ledger
from mailscope.trails import story
from mailscope.trails.tracker import Outcome
from mailscope.vocabulary.instants import naive_now
from mailscope.vocabulary.tables import TABLES

# The state is kept so often: after a crash no more lines than of this time are followed once more ...
CHECKPOINT_S: Final = 60.0
# ... and no more than about so many.
CHECKPOINT_LINES: Final = 100_000
# So much is brought into the file at once: more would stop the writer for longer.
WAITING_BYTES: Final = 16 << 20
# Between the numbers of messages that come, and those of messages of older logs.
FAR: Final = 1 << 40
# Tallies of an hour come in parts; when it is over for so long they are made one.
SETTLED: Final = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Written:
    """What one batch came to: the stored lines as rows of ``events``, and what the tracker made of them."""

    events: pl.DataFrame
    outcome: Outcome

    @property
    def lines(self) -> int:
        """How many lines were stored."""
        return len(self.events)


class Writer:
    """Writes batches.  After an error nothing of the batch is stored: call ``recover`` and write it again."""

    def __init__(
        self, database: Database, library: Library, zone: ZoneInfo, alongside: Alongside | None = None
    ) -> None:
        self.database = database
        self.alongside = alongside
        self.engine = Engine(library)
        self.zone = zone
        self.under_way: UnderWay
        # Is given the tallies that the store has taken over, as others are begun.
        self.leaving: Callable[[Hours], None] | None = None
        # The batch that was written last, or could not be: its number and what it came to.
        self.attempted: tuple[int, Written] | None = None
        days.note_zone(database, zone)
        self.recover()

    def recover(self) -> None:
        """Be as the store is: what was followed and could not be written is forgotten."""
        self.under_way = restore(self.database, self.engine, self.zone, self.alongside)
        self._kept_at = time.monotonic()
        self._kept_batch: int | None = None
        self._apart_batches: list[int] = json.loads(self.database.about(APART_BATCHES) or "[]")
        # What was followed once more need not be so again, however soon it is killed next.
        self._lines_since = self.under_way.relived
        if self.under_way.apart is not None:
            # Loading was broken off; it begins anew with the next run, which knows what is stored.
            self.end_apart()

    @property
    def tracker(self) -> StoreTracker:
        """The messages that are followed just now, as they come."""
        return self.under_way.tracker

    @property
    def hours(self) -> Hours:
        """Tallies that are not kept yet."""
        return self.under_way.hours

    def resume_points(self) -> dict[str, Resume]:
        """Where reading goes on, by source."""
        rows = self.database.connection.execute(
            "select source, resume from own.sources where resume is not null"
        ).fetchall()
        return {source: json.loads(resume) for source, resume in rows}

    def write(
        self,
        batch: list[Events],
        resume: Mapping[str, Resume | None],
        sets: Mapping[str, str | None],
        *,
        apart: bool = False,
    ) -> Written:
        """Follow a batch and store it with the resume points of its sources (and what set each is of).

        ``apart``: it is of the older logs that are followed by themselves (``follow_apart``).
        """
        if not batch:
            # Reading went on without a line that counts.
            with self.database.transaction():
                self.note_sources(resume, sets)
            self.pass_time()
            return Written(pl.DataFrame(), Outcome(**story.nothing()))
        number = self.under_way.batch + 1
        tracker = self.under_way.apart if apart else self.under_way.tracker
        assert tracker is not None
        outcome = tracker.feed(batch)
        # Most of both is done outside Python, side by side.
        with meanwhile(None if apart else partial(self._look, batch, outcome)) as looked:
            events = event_rows(batch, tracker)
            messages = message_rows(outcome, tracker)
            deliveries, links = delivery_rows(outcome, tracker), link_rows(outcome, tracker)
            written = Written(events, outcome)
            self.attempted = number, written
            with self.database.transaction():
                self._insert("events", events, number)
                self._note_spellings(events)
                self._replace_messages(messages)
                self._insert("deliveries", deliveries, number)
                self._insert("links", links, number)
                self._insert("sessions", session_rows(tracker), number)
                self.hours.add(batch, outcome)
                looked()
                self._put_looked()
                self.note_sources(resume, sets)
                self.database.set_about("batch", str(number))
                if apart:
                    self._apart_batches.append(number)
                    self.database.set_about(APART_BATCHES, json.dumps(self._apart_batches))
        self._lines_since += len(events)
        self.under_way.batch = number
        tracker.forget(outcome.messages)
        self.attempted = None
        return written

    def pass_time(self) -> None:
        """Let what looks at the batches know that time has passed without any."""
        if self.alongside is None:
            return
        self._look([], Outcome(**story.nothing()))
        with self.database.transaction():
            self._put_looked()

    def _look(self, batch: list[Events], outcome: Outcome) -> None:
        """What comes is looked at; old logs that are loaded are not: their clock is another."""
        if self.alongside is not None:
            self.alongside.see(batch, outcome, self.tracker, naive_now())

    def _put_looked(self) -> None:
        if self.alongside is not None:
            for name, rows in self.alongside.rows().items():
                self._put(name, rows)

    def _put(self, table: str, rows: pl.DataFrame) -> None:
        """Rows in place of those of the same id."""
        if len(rows):
            connection = self.database.connection
            with given(connection, rows):
                connection.execute(f"delete from hot.{table} where id in (select id from new_rows)")
                connection.execute(f"insert into hot.{table} by name select * from new_rows")

    def add(self, table: str, rows: pl.DataFrame, state: tuple[str, str] | None = None) -> None:
        """Store rows of a table that come from no line; ``state``: a name and what is kept under it."""
        with self.database.transaction():
            self._insert(table, rows, self.under_way.batch)
            if state is not None:
                self.database.set_about(*state)

    def follow_apart(self) -> None:
        """What comes now is older than what is under way: it is followed by itself, until ``end_apart``."""
        # Numbers of messages must not meet, also where others come meanwhile.
        self.under_way.apart = StoreTracker(detail=True, next_trail=self.tracker.next_trail + FAR)
        self.checkpoint()

    def end_apart(self) -> None:
        """The older logs are read: what is not finished in them stays as it is."""
        apart = self.under_way.apart
        assert apart is not None
        outcome = apart.finish()
        self.hours.add([], outcome)
        with self.database.transaction():
            self._replace_messages(message_rows(outcome, apart))
            self._insert("sessions", session_rows(apart), self.under_way.batch)
            self._insert("links", link_rows(outcome, apart), self.under_way.batch)
            self.under_way.apart = None
            self.tracker.next_trail = max(self.tracker.next_trail, apart.next_trail)
            self._keep(self.under_way.batch)
        self._begin_anew()

    def settle(self) -> None:
        """Between batches: keep the state where it is time, or bring into the file what waits for that.

        Both take their while, so that one of them is done at a time, and neither before a batch is stored.
        """
        if time.monotonic() - self._kept_at > CHECKPOINT_S or self._lines_since > CHECKPOINT_LINES:
            self.checkpoint()
        elif self.database.write_ahead.size() > WAITING_BYTES:
            self.database.write_ahead.bring_in(self.database.connection)

    def checkpoint(self) -> None:
        """Keep the state now, as before a planned end."""
        with self.database.transaction():
            self._keep(self.under_way.batch)
        self._begin_anew()

    def checkpoint_of_batch(self) -> None:
        """Keep the state where no state of the last batch is kept, as before lines are sealed."""
        if self._kept_batch != self.under_way.batch or self.hours.ledgers:
            self.checkpoint()

    def _keep(self, number: int) -> None:
        run = self.database.connection.execute
        rows = [
            (name, number, state.to_bytes(tracker))
            for name, tracker in ((STATE, self.under_way.tracker), (APART, self.under_way.apart))
            if tracker is not None
        ]
        if self.alongside is not None:
            rows.append((ALONGSIDE, number, self.alongside.state()))
        else:
            # Of one who does not look at the batches, what was seen before stays.
            rows += run("select * from own.state where name = ?", [ALONGSIDE]).fetchall()
        # A new table each time: rows that are deleted stay in memory, and in their part of the file, until
        # no row beside them is in use, and each is of some megabytes.
        run(f"create or replace table {STATE_TABLE}")
        for row in rows:
            run("insert into own.state values (?, ?, ?)", list(row))
        self.database.set_about(APART_BATCHES, "[]")
        for hour, ledger in self.hours.ledgers.items():
            run("insert into own.hours values (?, ?, ?)", [hour, number, kept.to_bytes(ledger)])
        self._settle_hours(number)

    def _settle_hours(self, number: int) -> None:
        """Make one of the parts of hours that are over."""
        run = self.database.connection.execute
        parted = run(
            "select hour from own.hours where hour < ? group by hour having count(*) > 1",
            [naive_now() - SETTLED],
        ).fetchall()
        untold = days.untold(self.database, self.zone)
        for (hour,) in parted:
            whole = Ledger(zone=self.zone)
            for (data,) in run("select data from own.hours where hour = ? order by batch", [hour]).fetchall():
                whole.merge(kept.from_bytes(bytes(data), self.zone, hour=hour, untold=untold))
            run("delete from own.hours where hour = ?", [hour])
            run("insert into own.hours values (?, ?, ?)", [hour, number, kept.to_bytes(whole)])

    def _begin_anew(self) -> None:
        """The state is kept: from here on, what comes is new."""
        if self.leaving is not None:
            self.leaving(self.hours)
        self.under_way.hours = Hours(self.zone)
        self._kept_at = time.monotonic()
        self._kept_batch = self.under_way.batch
        self._lines_since = 0
        self._apart_batches = []

    def _insert(self, table: str, rows: pl.DataFrame, number: int) -> None:
        if len(rows):
            if "batch" in TABLES[table].names:
                rows = rows.with_columns(pl.lit(number, pl.Int64).alias("batch"))
            connection = self.database.connection
            with given(connection, rows):
                connection.execute(f"insert into hot.{table} by name select * from new_rows")

    def _note_spellings(self, events: pl.DataFrame) -> None:
        if len(odd := spellings(events)):
            connection = self.database.connection
            with given(connection, odd):
                connection.execute("insert or ignore into own.spellings select lower, spelling from new_rows")

    def _replace_messages(self, rows: pl.DataFrame) -> None:
        if not len(rows):
            return
        connection = self.database.connection
        with given(connection, rows):
            # What is closed does not change any more: most rows need not be looked at.
            connection.execute(
                "delete from hot.messages where not closed and trail_id in (select trail_id from new_rows)"
            )
            connection.execute("insert into hot.messages by name select * from new_rows")

    def note_sources(self, resume: Mapping[str, Resume | None], sets: Mapping[str, str | None]) -> None:
        """Note where reading of sources goes on (None: nowhere), and of what set each is."""
        now = naive_now()
        for source, point in resume.items():
            told = None if point is None else json.dumps(dict(point))
            self.database.connection.execute(
                "insert or replace into own.sources values (?, ?, ?, ?)",
                [source, told, sets.get(source), now],
            )
