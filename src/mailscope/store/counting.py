"""Some tallies of a span of hours, for pages that are looked at again and again.

In: names of tallies and a span of whole hours (naive UTC).  Out: a ledger that has these only.

A sealed day's file never changes, nor what the store has of an hour until more is added, so what was unpacked
of both is kept for the next time, as much as fits in a bounded amount of memory; what is under way is added
anew each time.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final
from zoneinfo import ZoneInfo

from mailscope.store import day_files, days
from mailscope.store.day_files import SealedDay
from mailscope.store.reader import Reader
from mailscope.store.refusals import StoreError
from mailscope.tallies import kept
from mailscope.tallies.hours import Hours
from mailscope.tallies.ledger import Ledger, tells_time
from mailscope.tallies.registry import BY_NAME

KEPT_BYTES: Final = 48 << 20
# A file, or the digest of some bytes; names of tallies; zone.
Part = tuple[str, tuple[str, ...], str]


class Counting:
    """Ledgers of some tallies, with what was unpacked of sealed days before."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._most, self._size = kept_bytes, 0
        self._kept: OrderedDict[Part, tuple[Ledger, int]] = OrderedDict()
        self._lock = threading.Lock()

    def ledger(
        self,
        reader: Reader,
        lock: AbstractContextManager[Any],
        names: Sequence[str],
        since: datetime,
        until: datetime,
    ) -> Ledger:
        """The tallies of these names.  Raises StoreError where a day's file cannot be read."""
        try:
            return self._added(reader, lock, tuple(sorted(names)), since, until)
        except StoreError:
            # A day that was written anew meanwhile has another file now.
            return self._added(reader, lock, tuple(sorted(names)), since, until)

    def _added(
        self,
        reader: Reader,
        lock: AbstractContextManager[Any],
        names: tuple[str, ...],
        since: datetime,
        until: datetime,
    ) -> Ledger:
        zone = reader.zone
        whole = Ledger(tuple(BY_NAME[name] for name in names if name != "lines"), zone)
        with reader.database.snapshot(views=False) as looking:
            with lock:
                # What is under way, and what the store has, are looked at in one moment.
                hot = days.hot(looking, since, until) + days.under_way_elsewhere(looking, since, until)
                under_way = reader.under_way
                current = [
                    (hour, ledger.as_now(names))
                    for hour, ledger in under_way.hours.ledgers.items()
                    if since <= hour < until
                ]
                ended = under_way.tracker.as_if_ended()
            untold = days.untold(looking, zone)
            for day in day_files.sealed_days(looking, since, until):
                if since <= day.start and day.end <= until and day.alike(zone):
                    whole.merge(self._day(reader, looking, day, names))
                else:
                    for hour, data in day_files.hours(looking, day):
                        if since <= hour < until:
                            whole.merge(self._part(data, zone, names, hour, untold))
        for hour, data in hot:
            whole.merge(self._part(data, zone, names, hour, untold))
        for _, ledger in current:
            whole.merge(ledger)
        open_ones = Hours(zone)
        open_ones.add([], ended)
        whole.merge(open_ones.between(since, until))
        return whole

    def _part(
        self, data: bytes, zone: ZoneInfo, names: tuple[str, ...], hour: datetime, untold: ZoneInfo
    ) -> Ledger:
        """Of an hour, or of some batches of it: what was unpacked before is known by the bytes themselves."""
        place = blake2b(data, digest_size=16).hexdigest(), names, f"{zone} {hour} {untold}"
        return self._once(place, lambda: kept.from_bytes(data, zone, only=names, hour=hour, untold=untold))

    def _day(self, reader: Reader, looking: Any, day: SealedDay, names: tuple[str, ...]) -> Ledger:
        def unpacked() -> Ledger:
            by_time = all(tells_time(BY_NAME[name]) for name in names)
            found = Ledger(zone=reader.zone)
            for data in day_files.sums(looking, day, by_time=by_time):
                found.merge(kept.from_bytes(data, reader.zone, only=names))
            return found

        return self._once((day.path, names, str(reader.zone)), unpacked)

    def _once(self, place: Part, unpack: Callable[[], Ledger]) -> Ledger:
        """What was unpacked before, or is now."""
        with self._lock:
            if place in self._kept:
                self._kept.move_to_end(place)
                return self._kept[place][0]
        found = unpack()
        self._keep(place, found)
        return found

    def _keep(self, place: Part, ledger: Ledger) -> None:
        size = sum(int(frame.estimated_size()) for frame in ledger.parts().values()) + 1_000
        with self._lock:
            if size > self._most // 4 or place in self._kept:
                return
            self._kept[place] = ledger, size
            self._size += size
            while self._size > self._most:
                _, (_, freed) = self._kept.popitem(last=False)
                self._size -= freed
