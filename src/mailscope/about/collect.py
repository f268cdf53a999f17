"""Counts about the subject, batch by batch, and the messages that it had a part in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from mailscope.about.mentions import mentions
from mailscope.about.subject import Subject
from mailscope.causes.events import DIRECTIONS, with_causes
from mailscope.recognise.events import CORE, Events
from mailscope.trails.tracker import Outcome, Tracker
from mailscope.vocabulary.columns import own
from mailscope.vocabulary.events import EVENTS
from mailscope.vocabulary.fields import BY_NAME

UNRECOGNISED: Final = "unrecognised"
BAD: Final = ("login_failed", "rejected", "packet_blocked", "connection_denied", "discarded")
LOGINS: Final = ("login_failed", "login_succeeded")
# Who or what else is named with it.
OTHERS: Final = ("user", "client_ip", "client_host", "sender", "recipient", "helo", "target_user")
COLUMNS: Final = tuple(
    name
    for name in (
        *OTHERS, "sasl_user", "status", "dsn_status", "reply_code", "reason", "action", "server_port",
    )
    if name in BY_NAME
)  # fmt: skip
KINDS: Final = tuple(kind for kind in EVENTS if kind != UNRECOGNISED)
SHOWN: Final = 5
MESSAGE: Final = ("trail", "host", "queue_id", "first_time", "last_time", "sender", "size_bytes", "ended")
SEEN: Final = (
    pl.len().alias("count"),
    pl.col("time").min().alias("first"),
    pl.col("time").max().alias("last"),
)
Tables = dict[str, list[pl.DataFrame]]


@dataclass
class Collector:
    """What is known so far.  ``tables`` holds rows of several batches, to be added up."""

    subject: Subject
    zone: ZoneInfo
    tables: Tables = field(default_factory=lambda: defaultdict(list))
    read: int = 0
    lines: int = 0
    _named: list[pl.DataFrame] = field(default_factory=list)

    def collect(self, batches: Iterator[list[Events]]) -> None:
        """Take in all batches."""
        tracker = Tracker()
        for batch in batches:
            outcome = tracker.feed(batch)
            for events in batch:
                self.read += events.read
                about = events.select(mentions(events, self.subject))
                if about.read:
                    self._count_lines(about)
            self._take_messages(outcome)
        self._take_messages(tracker.finish())

    def _count_lines(self, about: Events) -> None:
        rows = _rows(about)
        self.count(rows)
        named = rows.filter(pl.col("queue_id").is_not_null()).select("host", "queue_id", "time")
        if len(named):
            self._named.append(own(named))
        ends = rows.select("time", "row").sort("time", "row")
        ends = pl.concat([ends.head(SHOWN), ends.tail(SHOWN)]).unique(maintain_order=True)
        raw = about.raw.gather(ends["row"]).alias("raw")
        self.add("ends", ends.with_columns(raw).drop("row"))

    def count(self, rows: pl.DataFrame) -> None:
        """Count lines about the subject: core columns of events, and ``COLUMNS`` as far as they are known."""
        self.lines += len(rows)
        happened = rows.with_columns(_result().alias("result"))
        self.add("happened", happened.group_by("service", "event", "result").agg(SEEN))
        self.add("programs", rows.group_by("host", "program").agg(SEEN))
        hour = (
            pl.col("time").dt.replace_time_zone("UTC").dt.convert_time_zone(str(self.zone)).dt.truncate("1h")
        )
        bad = pl.col("event").is_in(BAD).sum().alias("bad")
        self.add("hours", rows.group_by(hour.alias("hour")).agg(pl.len().alias("count"), bad))
        for name in OTHERS:
            if name in rows.columns:
                told = rows.filter(pl.col(name).is_not_null() & (pl.col(name) != ""))
                bads = pl.col("event").is_in(BAD).sum().alias("bad")
                found = told.group_by(pl.col(name).alias("value")).agg(*SEEN, bads)
                self.add("others", found.with_columns(pl.lit(name).alias("name")))
        logins = rows.filter(pl.col("event").is_in(LOGINS))
        if len(logins):
            self.add("logins", logins.select("time", "event", "service", "user", "client_ip"))
        for kind in DIRECTIONS:
            of_kind = rows.filter(pl.col("event") == kind)
            if len(of_kind):
                told = with_causes(kind, of_kind.select(*COLUMNS, "time", "event")).filter(
                    pl.col("cause").is_not_null()
                )
                sample = pl.col("reason").drop_nulls().first().alias("sample")
                self.add("causes", told.group_by("event", "cause").agg(*SEEN, sample))

    def add(self, name: str, rows: pl.DataFrame) -> None:
        """Rows of a table that were counted."""
        if len(rows):
            self.tables[name].append(own(rows))

    def _take_messages(self, outcome: Outcome) -> None:
        """Messages that ended now and of which a line mentions the subject."""
        if not len(outcome.messages) or not self._named:
            return
        named = pl.concat(self._named).unique()
        self._named = [named]
        told = outcome.messages.join(named, on=["host", "queue_id"], nulls_equal=True)
        told = told.filter(pl.col("time").is_between("first_time", "last_time")).unique("trail")
        if not len(told):
            return
        self.add_messages(told, outcome.recipients.filter(pl.col("trail").is_in(told["trail"].implode())))

    def add_messages(self, messages: pl.DataFrame, recipients: pl.DataFrame) -> None:
        """Messages that it had a part in, with the fate of each recipient."""
        self.add("messages", messages.select(MESSAGE))
        self.add("recipients", recipients.select("trail", "recipient", "fate"))

    def added(self, name: str, *keys: str, **measures: pl.Expr) -> pl.DataFrame | None:
        """The rows of a table, added up."""
        if not self.tables[name]:
            return None
        whole = pl.concat(self.tables[name], how="vertical_relaxed")
        return whole.group_by(keys).agg(expression.alias(alias) for alias, expression in measures.items())

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The rows of a table as they are."""
        return pl.concat(self.tables[name], how="vertical_relaxed").to_dicts() if self.tables[name] else []


def _rows(about: Events) -> pl.DataFrame:
    """The lines about the subject, with the fields that are looked at."""
    known = about.table(KINDS, COLUMNS, core=CORE).drop("instance", "pid", "order")
    known = known.with_columns(pl.coalesce("user", "sasl_user").alias("user"))
    unknown = about.unrecognised
    if not len(unknown):
        return known
    others = pl.DataFrame(
        [
            unknown.cast(pl.UInt32).alias("row"),
            about.time.gather(unknown).alias("time"),
            about.hosts(unknown),
            about.tagged("program", unknown),
            about.tagged("service", unknown),
        ]
    ).with_columns(pl.lit(UNRECOGNISED).alias("event"))
    return pl.concat([known, others], how="diagonal_relaxed")


def _result() -> pl.Expr:
    """What tells events of one kind apart that end differently."""
    event = pl.col("event")
    return (
        pl.when(event == "delivery_attempted").then(pl.col("status"))
        .when(event == "request_served").then(pl.col("reply_code").cast(pl.String))
        .when(event == "packet_blocked").then(pl.format("port {}", "server_port"))
        .when(event == "policy_result").then(pl.col("action"))
    )  # fmt: skip


def stamp(time: datetime | None, zone: ZoneInfo) -> str | None:
    """A naive UTC instant as ISO 8601 in a zone."""
    return None if time is None else time.replace(tzinfo=UTC).astimezone(zone).isoformat(timespec="seconds")
