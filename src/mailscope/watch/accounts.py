"""What each account is used to: how much it sends a day, at which hours, as whom and to whom.

Only accounts that did send are remembered, those least lately heard of are let go first.  Everything is kept
with its day or first instant, so that what was normal *before* an instant can be told whatever the batches
are. Recipients are kept as hashes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import blake2b
from statistics import median
from typing import Any, Final, TypeVar

import polars as pl

from mailscope.watch.baseline import CONSISTENT, Norm

MOST_ACCOUNTS: Final = 20_000
MOST_SENDERS: Final = 50
MOST_RECIPIENTS: Final = 1_000
# Recipients of all accounts together, in memory some 30 MB.
MOST_RECIPIENTS_IN_ALL: Final = 200_000
DAYS: Final = 100
TIME: Final = pl.Datetime("us")
Key = TypeVar("Key")
SCHEMAS: Final = {
    "days": pl.Schema({"account": pl.String(), "day": pl.Date(), "recipients": pl.Int64()}),
    "hours": pl.Schema({"account": pl.String(), "day": pl.Date(), "hours": pl.Int64()}),
    "senders": pl.Schema({"account": pl.String(), "sender": pl.String(), "first": TIME}),
    "recipients": pl.Schema({"account": pl.String(), "recipient": pl.Int64(), "first": TIME}),
}


@dataclass(slots=True)
class Account:
    """One account.  ``hours``: by day, a bit for each hour in which it sent."""

    days: dict[date, int] = field(default_factory=dict)
    hours: dict[date, int] = field(default_factory=dict)
    senders: dict[str, datetime] = field(default_factory=dict)
    recipients: dict[int, datetime] = field(default_factory=dict)

    def send(self, at: datetime, recipients: int) -> None:
        """Enter messages of an hour."""
        day = at.date()
        self.days[day] = self.days.get(day, 0) + recipients
        self.hours[day] = self.hours.get(day, 0) | 1 << at.hour
        for kept in (self.days, self.hours):
            if len(kept) > DAYS:
                del kept[min(kept)]

    def norm(self, at: datetime) -> tuple[Norm, int]:
        """What it sent on the days with mail before the last day and this one, and the most of one day."""
        last = at.date() - timedelta(days=1)
        values = [count for day, count in self.days.items() if day < last]
        if not values:
            return Norm(0.0, 0.0, 0, "days with mail"), 0
        middle = float(median(values))
        spread = CONSISTENT * median(abs(value - middle) for value in values)
        return Norm(middle, spread, len(values), "days with mail"), max(values)

    def usual_at(self, at: datetime) -> float:
        """On which part of the days with mail before the last one it sent at this hour, or one beside it."""
        last = at.date() - timedelta(days=1)
        around = sum(1 << (at.hour + step) % 24 for step in (-1, 0, 1))
        days = [bits for day, bits in self.hours.items() if day < last]
        return sum(bool(bits & around) for bits in days) / len(days) if days else 1.0


@dataclass
class Accounts:
    """The accounts, those least lately heard of first."""

    known: dict[str, Account] = field(default_factory=dict)
    _recipients: int = 0

    def of(self, name: str) -> Account:
        """An account, heard of now."""
        account = self.known.pop(name, None) or Account()
        self.known[name] = account
        while len(self.known) > MOST_ACCOUNTS or self._recipients > MOST_RECIPIENTS_IN_ALL:
            if len(self.known) == 1:
                break
            self._recipients -= len(self.known.pop(next(iter(self.known))).recipients)
        return account

    def sender(self, name: str, sender: str, at: datetime) -> datetime:
        """When an account first used a sender address."""
        return _meet(self.of(name).senders, sender, at, MOST_SENDERS)

    def recipient(self, name: str, recipient: str, at: datetime) -> datetime:
        """When an account first wrote to a recipient."""
        known = self.of(name).recipients
        before = len(known)
        digest = blake2b(recipient.encode(errors="replace"), digest_size=8).digest()
        first = _meet(known, int.from_bytes(digest, signed=True), at, MOST_RECIPIENTS)
        self._recipients += len(known) - before
        return first

    def state(self) -> dict[str, pl.DataFrame]:
        """What is remembered, by name."""
        rows: dict[str, list[tuple[Any, ...]]] = {
            name: [
                (account, *row) for account, each in self.known.items() for row in getattr(each, name).items()
            ]
            for name in SCHEMAS
        }
        return {
            f"accounts.{name}": pl.DataFrame(rows[name], schema, orient="row")
            for name, schema in SCHEMAS.items()
        }

    def resume(self, state: Mapping[str, pl.DataFrame]) -> None:
        """Remember that."""
        for name, schema in SCHEMAS.items():
            frame = state.get(f"accounts.{name}")
            if frame is None or frame.schema != schema:
                continue
            for account, key, value in frame.iter_rows():
                getattr(self.known.setdefault(account, Account()), name)[key] = value
        self._recipients = sum(len(each.recipients) for each in self.known.values())


def _meet(known: dict[Key, datetime], key: Key, at: datetime, most: int) -> datetime:
    """When something was met first; what was met least lately is forgotten beyond ``most``."""
    first = min(known.pop(key, at), at)
    known[key] = first
    if len(known) > most:
        del known[next(iter(known))]
    return first
