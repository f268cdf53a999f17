"""Some tallies of a span of hours, for pages that are looked at again and again.

In: names of tallies and a span of whole hours (naive UTC).  Out: a ledger that has these only.

    sealed days, hours that the store has --unpacked and added up once--> a sum, remembered
    hours that it has not yet, messages under way --seen once in a batch--> a moment   --> the whole

Who asks while a batch is stored need not wait for it: the moment before is that of the store as it is then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import blake2b
from typing import Any, Final
from zoneinfo import ZoneInfo

from mailscope.store import day_files, days
from mailscope.store.database import Queries
from mailscope.store.day_files import SealedDay
from mailscope.store.reader import Reader
from mailscope.store.refusals import StoreError
from mailscope.store.remembering import Remembered
from mailscope.store.restore import STATE, UnderWay
from mailscope.tallies import kept
from mailscope.tallies.hours import Hours
from mailscope.tallies.ledger import Ledger, tells_time
from mailscope.tallies.registry import BY_NAME
from mailscope.trails.tracker import Outcome

# Of which batch the store is, and of which what it has of the hours.
STATE_NOW: Final = (
    "select (select value from own.about where name = 'batch'), (select batch from own.state where name = ?)"
)
# What it has of them changes with a state, but for rows that go and come.
HOURS_NOW: Final = "select count(*), max(rowid) from own.hours"


@dataclass(frozen=True)
class Moment:
    """What was under way after a batch (``state``), in a store that was opened once (``under_way``)."""

    under_way: UnderWay
    state: tuple[Any, ...]
    hours: dict[datetime, Ledger]
    ended: Outcome

    @classmethod
    def now(cls, under_way: UnderWay, state: tuple[Any, ...]) -> Moment:
        """That of now, while nothing is written."""
        hours = {hour: ledger.as_now(BY_NAME) for hour, ledger in under_way.hours.ledgers.items()}
        return cls(under_way, state, hours, under_way.tracker.as_if_ended())


class Counting:
    """Ledgers of some tallies; ``remembered``: where what was unpacked before is."""

    def __init__(self, remembered: Remembered | None = None) -> None:
        self._remembered = remembered or Remembered()
        self._moment: Moment | None = None
        self._ended: tuple[Moment, Hours] | None = None
        self._lock = threading.Lock()

    def ledger(
        self,
        reader: Reader,
        lock: AbstractContextManager[Any],
        names: Sequence[str],
        since: datetime,
        until: datetime,
    ) -> Ledger:
        """The tallies of these names.  Raises StoreError where a day's file cannot be read.

        ``lock``: held while a batch is stored.
        """
        asked = _Asked(self._remembered, reader, tuple(sorted(names)), since, until)
        try:
            return self._added(asked, lock)
        except StoreError:
            # A day that was written anew meanwhile has another file now.
            return self._added(asked, lock)

    def _added(self, asked: _Asked, lock: AbstractContextManager[Any]) -> Ledger:
        with asked.reader.database.snapshot(views=False) as looking:
            moment = self._known(asked.reader, looking)
            if moment is not None:
                return asked.whole(looking, moment, self._hours(moment, asked.reader.zone))
        with asked.reader.database.snapshot(views=False) as looking:
            with lock:
                # What is under way, and what the store has, are looked at in one moment.
                state = _state(looking)
                under_way = asked.reader.under_way
                moment = self._moment
                if moment is None or moment.under_way is not under_way or moment.state != state:
                    moment = self._moment = Moment.now(under_way, state)
            return asked.whole(looking, moment, self._hours(moment, asked.reader.zone))

    def _known(self, reader: Reader, looking: Queries) -> Moment | None:
        """The moment that was seen last, if it is that of a store as it is seen."""
        moment = self._moment
        if moment is None or moment.under_way is not reader.under_way or moment.state != _state(looking):
            return None
        return moment

    def _hours(self, moment: Moment, zone: ZoneInfo) -> Hours:
        """What the messages under way would add, ended now."""
        with self._lock:
            if self._ended is None or self._ended[0] is not moment:
                hours = Hours(zone)
                hours.add([], moment.ended)
                self._ended = moment, hours
            return self._ended[1]


@dataclass(frozen=True)
class _Asked:
    """What is asked for."""

    remembered: Remembered
    reader: Reader
    names: tuple[str, ...]
    since: datetime
    until: datetime

    def whole(self, looking: Queries, moment: Moment, ended: Hours) -> Ledger:
        """All of it."""
        whole = self._ledger()
        # What the store has of hours changes now and then, and the days that are over hardly ever.
        untold = days.untold(looking, self.reader.zone)
        whole.merge(self._of_days(looking, untold))
        whole.merge(self._of_hours(looking, moment.state, untold))
        for hours in (moment.hours, ended.ledgers):
            for hour, ledger in hours.items():
                if self.since <= hour < self.until:
                    whole.merge(ledger)
        return whole

    def _ledger(self) -> Ledger:
        return Ledger(tuple(BY_NAME[name] for name in self.names if name != "lines"), self.reader.zone)

    def _of_days(self, looking: Queries, untold: ZoneInfo) -> Ledger:
        """The sum of days that are over."""
        sealed = day_files.sealed_days(looking, self.since, self.until)
        parts = (part for day in sealed for part in self._of_day(looking, day, untold))
        named = tuple(day.path for day in sealed)
        return self._once((self.since, self.until, named, str(untold)), partial(self._sum_of, parts))

    def _of_hours(self, looking: Queries, state: tuple[Any, ...], untold: ZoneInfo) -> Ledger:
        """The sum of what the database has of hours, which are read only where they have changed."""
        elsewhere = days.under_way_elsewhere(looking, self.since, self.until)

        def parts() -> Iterator[Ledger]:
            for hour, data in days.hot(looking, self.since, self.until) + elsewhere:
                yield self._part(_digest(data), hour, data, untold)

        named = (
            *looking.connection.execute(HOURS_NOW).fetchall()[0],
            *(_digest(data) for _, data in elsewhere),
        )
        place = (self.since, self.until, state, named, str(untold))
        return self._once(place, lambda: self._sum_of(parts()))

    def _sum_of(self, parts: Iterable[Ledger]) -> Ledger:
        found = self._ledger()
        for part in parts:
            found.merge(part)
        found.add_up()
        return found

    def _of_day(self, looking: Queries, day: SealedDay, untold: ZoneInfo) -> list[Ledger]:
        if self.since <= day.start and day.end <= self.until and day.alike(self.reader.zone):
            return [self._once(day.path, partial(self._whole_day, looking, day))]
        return [
            self._part(f"{day.path} {hour}", hour, data, untold)
            for hour, data in day_files.hours(looking, day)
            if self.since <= hour < self.until
        ]

    def _whole_day(self, looking: Queries, day: SealedDay) -> Ledger:
        by_time = all(tells_time(BY_NAME[name]) for name in self.names)
        found = Ledger(zone=self.reader.zone)
        for data in day_files.sums(looking, day, by_time=by_time):
            found.merge(kept.from_bytes(data, self.reader.zone, only=self.names))
        return found

    def _part(self, name: str, hour: datetime, data: bytes, untold: ZoneInfo) -> Ledger:
        """Of an hour, or of some batches of it."""
        zone = self.reader.zone
        return self._once(
            (name, hour, str(untold)),
            lambda: kept.from_bytes(data, zone, only=self.names, hour=hour, untold=untold),
        )

    def _once(self, place: Hashable, make: Callable[[], Ledger]) -> Ledger:
        return self.remembered.once(
            self.reader.under_way, (place, self.names, str(self.reader.zone)), make, _size
        )


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()


def _size(ledger: Ledger) -> int:
    return sum(int(frame.estimated_size()) for frame in ledger.parts().values())


def _state(looking: Queries) -> tuple[Any, ...]:
    """Of which batch the store is, as it is seen."""
    rows = looking.connection.execute(STATE_NOW, [STATE]).fetchall()
    return tuple(rows[0])
