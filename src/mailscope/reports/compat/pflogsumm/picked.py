"""What one chunk's lines come to: events that must be followed on, and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import polars as pl

from mailscope.reports.compat.pflogsumm.columns import owned
from mailscope.reports.compat.pflogsumm.stamps import Day

# The sections that count reasons, under the names that the report gives them.
DEFERRED: Final = "message deferral detail"
BOUNCED: Final = "message bounce detail (by relay)"
EXPIRED: Final = "message expired detail (by relay)"
REJECTED: Final = "message reject detail"
WARNED: Final = "message reject warning detail"
HELD: Final = "message hold detail"
DISCARDED: Final = "message discard detail"
SMTP: Final = "SMTP Exceptions"
SMTP_OLDER: Final = "smtp delivery failures"
WARNINGS: Final = "Warnings"
SCREENED: Final = "postscreen actions"
FATAL: Final = "Fatal Errors"
PANICS: Final = "Panics"
MASTER: Final = "Master daemon messages"
TLS_LEVELS: Final = "SMTP TLS Levels (by relay)"
TLS_ERRORS: Final = "Inbound (smtpd) SSL Errors"
# How a line of smtpd or cleanup says that it is of one of them.
REFUSALS: Final = {"reject": REJECTED, "reject_warning": WARNED, "hold": HELD, "discard": DISCARDED}
LEVELS: Final = {"warning": WARNINGS, "fatal": FATAL, "panic": PANICS}

TRAFFIC: Final = ("received", "delivered", "deferred", "bounced", "rejected")
_EVENT: Final = {"row": pl.UInt64, "queue_id": pl.String}
EVENTS: Final = {
    # A message came in; ``whence`` is the client's domain.
    "received": {**_EVENT, "whence": pl.String},
    # qmgr told sender and size.
    "sized": {**_EVENT, "address": pl.String, "size": pl.Int64},
    "sent": {**_EVENT, "address": pl.String, "delay": pl.String},
    "waiting": {**_EVENT, "address": pl.String, "delay": pl.String, "relay": pl.String},
    "expired": _EVENT,
}
CONNECTIONS: Final = {
    "row": pl.UInt64, "run": pl.Int64, "hour": pl.Int8, "second": pl.Int64,
    "key": pl.String, "begins": pl.Boolean, "host": pl.String,
}  # fmt: skip


@dataclass
class Picked:
    """One chunk's part.  ``run`` numbers the chunk's days, beginning with 0, as they follow each other.

    ``traffic`` has a row for each of TRAFFIC, run and hour (``kind``, ``run``, ``hour``, ``len``);
    ``numbers`` are counts of messages by name; ``ended`` is where 1.3.0 forgets a
    message (removed, forwarded, refused); ``details`` counts of reasons, by section and then path of keys;
    ``groups`` more of them as frames, whose columns are the keys of the path and then ``count``.
    """

    events: dict[str, list[pl.DataFrame]] = field(default_factory=lambda: {name: [] for name in EVENTS})
    smtpd: pl.DataFrame | None = None
    screened: pl.DataFrame | None = None
    traffic: list[pl.DataFrame] = field(default_factory=list)
    numbers: Counter[str] = field(default_factory=Counter)
    details: dict[str, dict[tuple[str, ...], int]] = field(default_factory=dict)
    groups: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    ended: list[pl.DataFrame] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def add(self, name: str, lines: pl.DataFrame) -> None:
        """Add events of one kind of EVENTS."""
        if len(lines):
            self.events[name].append(lines)

    def count_traffic(self, kind: str, lines: pl.DataFrame) -> None:
        """Count lines of one of TRAFFIC by run and hour."""
        if len(lines):
            counts = lines.group_by("run", "hour").len()
            self.traffic.append(
                counts.select(pl.lit(kind).alias("kind"), "run", "hour", pl.col("len").cast(pl.Int64))
            )

    def end(self, lines: pl.DataFrame) -> None:
        """Note that messages are forgotten."""
        if len(lines):
            self.ended.append(lines.select("row", owned("queue_id")))

    def count_detail(self, section: str, path: tuple[str, ...], count: int) -> None:
        """Add to the count of one reason of a section."""
        counts = self.details.setdefault(section, {})
        counts[path] = counts.get(path, 0) + count

    def add_details(self, section: str, counts: Mapping[tuple[str, ...], int]) -> None:
        """Add counts of reasons to a section."""
        for path, count in counts.items():
            self.count_detail(section, path, count)


class Done(NamedTuple):
    """A chunk taken apart: what was picked, its runs of days, the days of its first and last line."""

    picked: Picked
    runs: list[Day]
    first: Day | None
    last: Day | None
