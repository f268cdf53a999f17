"""The tables that tallies count: frames made of a batch and of what the tracker made of it.

Where a row stands for a log line, ``order`` says which (see ``lines.py``), so that a number can be opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from mailscope.recognise.events import Events
from mailscope.tallies.registry import TALLIES
from mailscope.trails.steps import DETAIL, FIELDS
from mailscope.trails.tracker import Outcome

# Postfix's local(8) says so of an alias or .forward, qmail-local of a .qmail file without other deliveries.
FORWARDED: Final = r"^(forwarded as |did_0\+[1-9][0-9]*\+0/)"
LEVEL: Final = r"^(warning|error|fatal|panic): "
# bounce(8) and others name the message that a warning is about.
LEADING_ID: Final = r"^[0-9A-F]{6,20}: "
HEADER_NAME: Final = r"^([!-9;-~]+:)"


@dataclass(frozen=True, slots=True)
class EventTable:
    """A table made of the events of some kinds, with some of their fields.

    ``core``: which of program, service ... the tallies look at besides (gathering them has its price);
    ``services``: whose events they are (none: anybody's).
    """

    kinds: tuple[str, ...]
    fields: tuple[str, ...] = ()
    core: tuple[str, ...] = ("event",)
    services: tuple[str, ...] = ()

    def rows(self, events: Events, fields: Sequence[str]) -> pl.DataFrame | None:
        """The rows of a chunk, None where it surely has none."""
        if not any(part.pattern.event in self.kinds for part in events.parts):
            return None
        if not self.services:
            return events.table(self.kinds, fields, core=self.core)
        if not events.recognised.tags["service"].is_in(self.services).any():
            return None
        table = events.table(self.kinds, fields, core=self.core)
        return table.filter(pl.col("service").is_in(self.services))


VERDICTS: Final = ("rejected", "reject_warned", "held", "discarded", "redirected", "filtered")
EVENT_TABLES: Final[dict[str, EventTable]] = {
    "verdicts": EventTable(
        VERDICTS,
        ("action", "stage", "reply_code", "dsn_status", "reason", "header", "client_host", "client_ip"),
    ),
    "problems": EventTable(("warned", "failed", "panicked"), core=("event", "program")),
    "logins": EventTable(
        ("login_failed", "login_succeeded"),
        ("client_ip", "client_host", "user", "sasl_user"),
        ("event", "service"),
    ),
    # Who acted as another user: su, sudo, doas.
    "switches": EventTable(("command_run", "session_opened"), ("user", "target_user"), ("event", "service")),
    # What a program said that checks passwords for others, which log the failed login themselves.
    "auth_verdicts": EventTable(
        ("policy_result",), ("client_ip", "user", "reason"), ("event", "service"), ("auth", "saslauthd")
    ),
    "connections": EventTable(
        ("connected", "disconnected", "connection_lost", "connection_timed_out", "connection_denied"),
        core=("event", "service"),
    ),
    "losses": EventTable(("lines_lost",), core=("event", "program")),
    "concurrency": EventTable(
        ("concurrency",), ("local_concurrency", "local_limit", "remote_concurrency", "remote_limit")
    ),
}


# PAM's own line beside that of the program which asked it.
PAM_SAYS: Final = ("authentication failure", "check pass; user unknown")
# What tells whose mail a refusal was; looked at where only some domains' mail counts.
ADDRESSES: Final = ("sender", "recipient")


def needed_fields(*, addresses: bool = False) -> dict[str, frozenset[str]]:
    """By event, the fields that tallies and trails look at; the engine captures no others.

    ``addresses``: also those that tell whose mail was refused.
    """
    needed: dict[str, set[str]] = {kind: set(fields) - DETAIL for kind, fields in FIELDS.items()}
    needed["delivery_started"] = set(FIELDS["delivery_started"])
    for table in EVENT_TABLES.values():
        for kind in table.kinds:
            needed.setdefault(kind, set()).update(table.fields)
    if addresses:
        for kind in VERDICTS:
            needed[kind].update(ADDRESSES)
    return {kind: frozenset(fields) for kind, fields in needed.items()}


def tables(
    batch: list[Events], outcome: Outcome, *, addresses: bool = False
) -> Iterable[tuple[str, pl.DataFrame]]:
    """The tables of one batch that have any rows, by name; ``addresses``: as for ``needed_fields``."""
    for name, frame in _of_outcome(outcome):
        if len(frame):
            yield name, frame
    for name, table in EVENT_TABLES.items():
        fields = (*table.fields, *ADDRESSES) if addresses and name == "verdicts" else table.fields
        found = [(events, table.rows(events, fields)) for events in batch]
        frames = [_completed(name, events, rows) for events, rows in found if rows is not None]
        if frames:
            yield name, frames[0] if len(frames) == 1 else pl.concat(frames)


def _completed(name: str, events: Events, frame: pl.DataFrame) -> pl.DataFrame:
    if name == "switches":
        return frame.filter(pl.all_horizontal(pl.col("user", "target_user").is_not_null()))
    if name == "auth_verdicts":
        return frame.filter(pl.col("reason").is_not_null() & ~pl.col("reason").is_in(PAM_SAYS))
    if name in ("problems", "losses"):
        return frame.with_columns(_told(events, frame))
    if name == "logins":
        return frame.with_columns(pl.coalesce("user", "sasl_user").alias("user"))
    if name == "concurrency":
        return frame.with_columns(_full("local"), _full("remote"))
    if name == "verdicts":
        # Only verdicts by a rule: an administrator's postsuper -h is "held" as well.
        return frame.filter(pl.col("action").is_not_null() | (pl.col("event") == "rejected")).with_columns(
            pl.coalesce("action", pl.lit("reject")).alias("action"),
            pl.coalesce("reason", pl.col("header").str.extract(HEADER_NAME, 1)).alias("reason"),
        )
    return frame


def _told(events: Events, frame: pl.DataFrame) -> pl.Series:
    """What lines say, without queue id and level: a warning's words are its reason."""
    told = pl.DataFrame([events.recognised.told.gather(frame["row"]).alias("text"), frame["queue_id"]])
    named = pl.col("text").str.starts_with(pl.col("queue_id").fill_null("\0"))
    cut = pl.when(named).then(pl.col("queue_id").str.len_chars() + 2).otherwise(0)
    words = pl.col("text").str.slice(cut).str.replace(LEVEL, "").str.replace(LEADING_ID, "")
    return told.select(words.alias("reason")).to_series()


def _full(kind: str) -> pl.Expr:
    """Whether all places are taken; a limit of 0 means that qmail-send has been told to deliver nothing."""
    taken, limit = pl.col(f"{kind}_concurrency"), pl.col(f"{kind}_limit")
    return ((taken >= limit) & (limit > 0)).alias(f"{kind}_full")


def _of_outcome(outcome: Outcome) -> Iterable[tuple[str, pl.DataFrame]]:
    yield "arrivals", outcome.arrivals
    yield "sized", outcome.sized
    deliveries = outcome.deliveries
    if len(deliveries):
        forwarded = (pl.col("status") == "sent") & pl.col("reason").str.contains(FORWARDED)
        yield (
            "deliveries",
            deliveries.with_columns(
                pl.when(forwarded).then(pl.lit("forwarded")).otherwise("status").alias("outcome")
            ),
        )
    yield "recipients", outcome.recipients
    yield "messages", outcome.messages.with_columns(_went(), _stay(), _first_negated())


def _went() -> pl.Expr:
    """How a message ended: removed, deleted, discarded, refused; or that it has not.

    ``incomplete``: it got a queue id but never came into the queue, as the client broke off (or the log
    ends before it was done); ``open``: it is in the queue.
    """
    queued = pl.col("size_bytes").is_not_null() | pl.col("held") | pl.col("origin").is_null()
    return (
        pl.when(pl.col("ended").is_not_null())
        .then("ended")
        .when(queued)
        .then(pl.lit("open"))
        .otherwise(pl.lit("incomplete"))
        .alias("went")
    )


def _first_negated() -> pl.Expr:
    """The first instant in whole seconds, negated: the largest is then the earliest."""
    return (-pl.col("first_time").dt.epoch("s")).alias("first_negated")


def _stay() -> pl.Expr:
    """How long a message that arrived and ended within the log was in the queue."""
    whole = pl.col("ended").is_not_null() & pl.col("origin").is_not_null()
    stay = (pl.col("last_time") - pl.col("first_time")).dt.total_microseconds() / 1e6
    return pl.when(whole).then(stay).alias("stay_s")


TABLES_OF_LINES: Final = frozenset({"arrivals", "sized", "deliveries", *EVENT_TABLES})
assert {tally.table for tally in TALLIES} <= TABLES_OF_LINES | {"recipients", "messages"}
