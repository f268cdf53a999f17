"""Tallies of a span of hours, copied out of the store in a moment and added up afterwards.

In: the packed tallies of each hour, and what is under way.  Out: their sum, packed.  Unpacking them takes
some milliseconds for each hour: nobody may have to wait for that who wants to write.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from mailscope.store.database import Queries
from mailscope.store.restore import UnderWay
from mailscope.tallies import kept
from mailscope.tallies.hours import Hours
from mailscope.tallies.ledger import Ledger
from mailscope.trails.tracker import Outcome


@dataclass(frozen=True)
class Copied:
    """What a sum is made of: packed hours in order, and what messages under way would add, ended now."""

    zone: ZoneInfo
    since: datetime | None
    until: datetime | None
    hours: list[tuple[datetime, bytes]]
    ended: Outcome

    def packed(self, *, by_time: bool = False) -> bytes:
        """The sum; ``by_time``: only of tallies that tell days or hours apart, which is quicker."""
        whole = Ledger(zone=self.zone)
        for _, data in self.hours:
            whole.merge(kept.from_bytes(data, self.zone, by_time=by_time))
        under_way = Hours(self.zone)
        under_way.add([], self.ended)
        whole.merge(under_way.between(self.since, self.until))
        return kept.to_bytes(whole.by_time() if by_time else whole)


def copied(
    looking: Queries, under_way: UnderWay, zone: ZoneInfo, since: datetime | None, until: datetime | None
) -> Copied:
    """Copy the whole hours of a span (naive UTC; None: open)."""
    conditions, values = ["true"], []
    for sign, edge in ((">=", since), ("<", until)):
        if edge is not None:
            conditions.append(f"hour {sign} ?")
            values.append(edge)
    rows = looking.connection.execute(
        f"select hour, data from own.hours where {' and '.join(conditions)} order by hour, batch", values
    ).fetchall()
    hours = [(hour, bytes(data)) for hour, data in rows]
    hours += [
        (hour, kept.to_bytes(ledger))
        for hour, ledger in under_way.hours.ledgers.items()
        if (since is None or hour >= since) and (until is None or hour < until)
    ]
    hours.sort(key=lambda pair: pair[0])
    return Copied(zone, since, until, hours, under_way.tracker.as_if_ended())
