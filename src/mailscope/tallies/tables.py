"""The tables that tallies count: frames made of a batch and of what the tracker made of it.

Where a row stands for a log line, ``piece`` and ``row`` say which, so that a number can be opened.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import polars as pl

from mailscope.recognise.events import Events
from mailscope.tallies.registry import TALLIES
from mailscope.trails.steps import FIELDS
from mailscope.trails.tracker import Outcome

FORWARDED: Final = "forwarded as "


@dataclass(frozen=True, slots=True)
class EventTable:
    """A table made of the events of some kinds, with some of their fields."""

    kinds: tuple[str, ...]
    fields: tuple[str, ...]


VERDICTS: Final = ("rejected", "reject_warned", "held", "discarded", "redirected", "filtered")
EVENT_TABLES: Final[dict[str, EventTable]] = {
    "rejects": EventTable(
        VERDICTS, ("action", "stage", "reply_code", "reason", "client_host", "client_ip", "blocklist")
    ),
    "problems": EventTable(("warned", "failed", "panicked"), ("reason",)),
    "logins": EventTable(
        ("login_failed", "login_succeeded"), ("client_ip", "user", "sasl_user", "client_host", "reason")
    ),
    "connections": EventTable(
        ("connected", "disconnected", "connection_lost", "connection_timed_out", "connection_denied"), ()
    ),
    "concurrency": EventTable(
        ("concurrency",), ("local_concurrency", "local_limit", "remote_concurrency", "remote_limit")
    ),
}
# Fields of the story's own events that no tally looks at and that the story can do without.
UNNEEDED: Final = frozenset(
    {"message_id", "orig_recipient", "relay_ip", "relay_port", "sasl_method", "uid", "orig_queue_id",
     "orig_client_host", "orig_client_ip", "qp", "transport", "next_queue_id"}
)  # fmt: skip


def needed_fields() -> dict[str, frozenset[str]]:
    """By event, the fields that tallies and trails look at; the engine captures no others."""
    needed: dict[str, set[str]] = {kind: set(fields) - UNNEEDED for kind, fields in FIELDS.items()}
    needed["delivery_started"] = set(FIELDS["delivery_started"])
    for table in EVENT_TABLES.values():
        for kind in table.kinds:
            needed.setdefault(kind, set()).update(table.fields)
    return {kind: frozenset(fields) for kind, fields in needed.items()}


def tables(batch: list[Events], outcome: Outcome) -> Iterable[tuple[str, pl.DataFrame]]:
    """The tables of one batch that have any rows, by name."""
    for name, frame in _of_outcome(outcome):
        if len(frame):
            yield name, frame
    for name, table in EVENT_TABLES.items():
        frames = [
            events.table(table.kinds, table.fields, core=True).with_columns(pl.lit(piece, pl.UInt32).alias("piece"))
            for piece, events in enumerate(batch)
            if any(part.pattern.event in table.kinds for part in events.parts)
        ]
        if frames:
            yield name, _completed(name, pl.concat(frames))


def _completed(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    if name == "logins":
        return frame.with_columns(pl.coalesce("user", "sasl_user").alias("user"))
    if name == "concurrency":
        return frame.with_columns(
            (pl.col("local_concurrency") >= pl.col("local_limit")).cast(pl.Int64).alias("local_full"),
            (pl.col("remote_concurrency") >= pl.col("remote_limit")).cast(pl.Int64).alias("remote_full"),
        )
    if name == "rejects":
        # Only verdicts by a rule: an administrator's postsuper -h is "held" as well.
        return frame.filter(pl.col("action").is_not_null() | (pl.col("event") == "rejected")).with_columns(
            pl.coalesce("action", pl.lit("reject")).alias("action")
        )
    return frame


def _of_outcome(outcome: Outcome) -> Iterable[tuple[str, pl.DataFrame]]:
    deliveries = outcome.deliveries
    yield "arrivals", outcome.arrivals
    yield "sized", outcome.sized
    yield "deliveries", deliveries
    if len(deliveries):
        yield "forwarded", deliveries.filter(pl.col("reason").str.starts_with(FORWARDED).fill_null(False))
    yield "recipients", outcome.recipients
    yield (
        "messages",
        outcome.messages.with_columns(
            # A message whose beginning is not in the log: it has neither acceptance nor identification.
            pl.when(pl.col("origin").is_null()).then(pl.lit("before")).otherwise(pl.lit("seen")).alias("began")
        ),
    )


TABLES_OF_LINES: Final = frozenset({"arrivals", "sized", "deliveries", "forwarded", *EVENT_TABLES})
assert {tally.table for tally in TALLIES} <= TABLES_OF_LINES | {"recipients", "messages"}
