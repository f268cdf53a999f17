"""Who logs in, and from which networks: what all detections of logins remember together.

Only users that did log in are remembered, so that names invented by attackers take no room; and of them only
the latest, and their latest networks.  Whether something is known is asked for an instant (``before``): so
the answer is the same however the log is cut into batches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl

from mailscope.watch.networks import network

# Of which addresses are one place, and which places one provider's.
SMALL: Final = (24, 48)
WIDE: Final = (16, 32)
# Whose networks are more than this part of the days with logins is on the move.
OFTEN: Final = 0.35
MOST_USERS: Final = 50_000
MOST_NETWORKS: Final = 64
MOST_ROWS: Final = 200_000
DAY: Final = timedelta(days=1)
TIME: Final = pl.Datetime("us")
USERS: Final = pl.Schema(
    {"user": pl.String(), "first": TIME, "last": TIME, "latest": pl.String(), "days": pl.Int64()}
)
NETWORKS: Final = pl.Schema({"user": pl.String(), "network": pl.String(), "first": TIME})


def place(address: str) -> str | None:
    """The place that an address belongs to."""
    return network(address, *SMALL)


def provider(network_or_address: str) -> str | None:
    """The wider network that a place belongs to."""
    return network(network_or_address.partition("/")[0], *WIDE)


def travels(networks: int, days: int) -> bool:
    """Whether a user with so many networks on so many days with logins is on the move."""
    return networks > OFTEN * days


@dataclass(slots=True)
class Known:
    """A user: first and last login, where the last one came from, days with logins; networks with their first
    login, the least lately used first.
    """

    first: datetime
    last: datetime
    latest: str
    days: int = 0
    networks: dict[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A user's first login from a network, and what was known before it.

    ``days``: days on which the user had logged in; ``others``: users that had logged in from the network;
    ``near``: the user had come from the same provider; ``previous``: the login before (instant, network);
    ``before``: the user's networks with their first login.
    """

    time: datetime
    order: int
    host: str | None
    service: str | None
    user: str
    address: str
    network: str
    days: int
    others: int
    near: bool
    previous: tuple[datetime, str] | None
    before: Mapping[str, datetime]


@dataclass
class Places:
    """The users, those least lately heard of first, and their networks.  ``began``: the first instant
    watched.
    """

    began: datetime | None = None
    users: dict[str, Known] = field(default_factory=dict)
    _rows: int = 0
    _shared: Counter[str] = field(default_factory=Counter)

    def learn(self, logins: pl.DataFrame, now: datetime) -> list[Arrival]:
        """Enter successful logins (``logins.successes``); gives those from networks new for their user."""
        if not len(logins):
            self.began = self.began or now
            return []
        earliest = logins["time"][0]
        self.began = earliest if self.began is None else min(self.began, earliest)
        heads = logins.with_columns(pl.col("time").dt.date().alias("day")).unique(
            ["account", "client_ip", "day"], keep="first", maintain_order=True
        )
        return [found for row in heads.iter_rows(named=True) if (found := self._meet(row)) is not None]

    def days(self, instant: datetime) -> float:
        """Days of history at an instant."""
        return 0.0 if self.began is None else max(0.0, (instant - self.began) / DAY)

    def knows(self, user: str | None, before: datetime) -> bool:
        """Whether a user had logged in before an instant."""
        known = self.users.get(user or "")
        return known is not None and known.first < before

    def first(self, user: str | None, address: str) -> datetime | None:
        """A user's first login from the place of an address (or network)."""
        known = self.users.get(user or "")
        if known is None:
            return None
        found = place(address.partition("/")[0])
        return None if found is None else known.networks.get(found)

    def familiar(self, user: str | None, address: str, before: datetime) -> bool:
        """Whether a user had logged in from the place of an address (or network) before an instant."""
        first = self.first(user, address)
        return first is not None and first < before

    def state(self, prefix: str = "places") -> dict[str, pl.DataFrame]:
        """What is remembered, by name."""
        users = [(name, each.first, each.last, each.latest, each.days) for name, each in self.users.items()]
        rows = [(name, *row) for name, each in self.users.items() for row in each.networks.items()]
        return {
            f"{prefix}.users": pl.DataFrame(users, USERS, orient="row"),
            f"{prefix}.networks": pl.DataFrame(rows, NETWORKS, orient="row"),
            f"{prefix}.began": pl.DataFrame({"began": [self.began]}, {"began": TIME}),
        }

    def resume(self, state: Mapping[str, pl.DataFrame], prefix: str = "places") -> None:
        """Remember that."""
        users, networks, began = (state.get(f"{prefix}.{name}") for name in ("users", "networks", "began"))
        if users is None or networks is None or began is None or users.schema != USERS:
            return
        self.users = {name: Known(*rest) for name, *rest in users.iter_rows()}
        self._shared = Counter()
        for name, found, first in networks.iter_rows():
            # A person may have been erased from what was kept.
            if name in self.users:
                self.users[name].networks[found] = first
                self._shared[found] += 1
        self._rows = sum(len(each.networks) for each in self.users.values())
        self.began = began["began"][0]

    def _meet(self, row: Mapping[str, Any]) -> Arrival | None:
        """One user's login from one address on one day; the arrival, where the network is new."""
        user, time, found = row["account"], row["time"], place(row["client_ip"])
        if found is None:
            return None
        known = self.users.pop(user, None)
        arrival = None
        if known is None or found not in known.networks:
            arrival = self._arrival(row, found, known)
        if known is None:
            known = Known(time, time, found)
        known.days += known.days == 0 or time.date() > known.last.date()
        first = known.networks.pop(found, None)
        if first is None:
            self._rows += 1
            self._shared[found] += 1
        known.networks[found] = time if first is None else min(first, time)
        if time >= known.last:
            known.last, known.latest = time, found
        known.first = min(known.first, time)
        self.users[user] = known
        if len(known.networks) > MOST_NETWORKS:
            self._forget(known, next(iter(known.networks)))
        while len(self.users) > MOST_USERS or self._rows > MOST_ROWS:
            gone = self.users.pop(next(iter(self.users)))
            for each in list(gone.networks):
                self._forget(gone, each)
        return arrival

    def _arrival(self, row: Mapping[str, Any], found: str, known: Known | None) -> Arrival:
        wide = provider(found)
        before = dict(known.networks) if known else {}
        return Arrival(
            row["time"],
            row["order"],
            row["host"],
            row["service"],
            row["account"],
            row["client_ip"],
            found,
            days=known.days if known else 0,
            others=self._shared[found],
            near=any(provider(each) == wide for each in before),
            previous=(known.last, known.latest) if known else None,
            before=before,
        )

    def _forget(self, known: Known, found: str) -> None:
        del known.networks[found]
        self._rows -= 1
        self._shared[found] -= 1
        if not self._shared[found]:
            del self._shared[found]
