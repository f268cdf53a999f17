"""Tallies of a span of hours, copied out of the store in a moment and added up afterwards.

In: the packed tallies of each sealed day that lies within the span, of each hour besides, and what is under
way.  Out: their sum, packed.  Unpacking them takes some milliseconds for each: nobody may have to wait for
that who wants to write.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from mailscope.store import day_files, days
from mailscope.store.database import Queries
from mailscope.store.restore import UnderWay
from mailscope.tallies import kept
from mailscope.tallies.hours import Hours
from mailscope.tallies.ledger import Ledger
from mailscope.trails.tracker import Outcome

THREADS: Final = 2
# Of a tally, so much is unpacked before it is added up: each time costs, and takes memory (some 40 MB).
ROWS: Final = 500_000
PARTS: Final = 1_000


@dataclass(frozen=True)
class Copied:
    """What a sum is made of: packed days and hours, and what messages under way would add, ended now.

    ``by_time``: only of tallies that tell days or hours apart, which is quicker.
    """

    zone: ZoneInfo
    # Of hours that do not tell theirs.
    untold: ZoneInfo
    since: datetime | None
    until: datetime | None
    by_time: bool
    days: list[bytes]
    hours: list[tuple[datetime, bytes]]
    ended: Outcome

    def packed(self) -> bytes:
        """The sum."""
        whole = Ledger(zone=self.zone, merge_rows=ROWS, merge_parts=PARTS)
        # Unpacking is most of the work, and Polars lets others run meanwhile.
        with ThreadPoolExecutor(THREADS) as pool:
            for ledger in pool.map(self._day, self.days):
                whole.merge(ledger)
            for ledger in pool.map(self._hour, self.hours):
                whole.merge(ledger)
        under_way = Hours(self.zone)
        under_way.add([], self.ended)
        whole.merge(under_way.between(self.since, self.until))
        return kept.to_bytes(whole.by_time() if self.by_time else whole)

    def _day(self, data: bytes) -> Ledger:
        return kept.from_bytes(data, self.zone, by_time=self.by_time)

    def _hour(self, part: tuple[datetime, bytes]) -> Ledger:
        hour, data = part
        return kept.from_bytes(data, self.zone, by_time=self.by_time, hour=hour, untold=self.untold)


def copied(
    looking: Queries,
    under_way: UnderWay,
    zone: ZoneInfo,
    since: datetime | None,
    until: datetime | None,
    *,
    by_time: bool = False,
) -> Copied:
    """Copy the whole hours of a span (naive UTC; None: open)."""
    sums: list[bytes] = []
    hours = days.hot(looking, since, until)
    for day in day_files.sealed_days(looking, since, until):
        if (since is None or since <= day.start) and (until is None or day.end <= until) and day.alike(zone):
            sums += day_files.sums(looking, day, by_time=by_time)
        else:
            hours += [pair for pair in day_files.hours(looking, day) if _within(pair[0], since, until)]
    hours += [
        (hour, kept.to_bytes(ledger))
        for hour, ledger in under_way.hours.ledgers.items()
        if _within(hour, since, until)
    ]
    hours += days.under_way_elsewhere(looking, since, until)
    hours.sort(key=lambda part: part[0])
    ended = under_way.tracker.as_if_ended()
    return Copied(zone, days.untold(looking, zone), since, until, by_time, sums, hours, ended)


def _within(hour: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or hour >= since) and (until is None or hour < until)
