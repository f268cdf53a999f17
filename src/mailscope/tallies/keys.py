"""Derived keys and conditions that tallies name."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.recognise.shape import reason_shape, shape
from mailscope.tallies.tally import SLOT_S, STAGES, bucket
from mailscope.trails.story import INTERNAL, REQUEUED

NOT_FROM_OUTSIDE: Final = (INTERNAL, REQUEUED)
DAY: Final = "day"


def domain_of(address: str) -> pl.Expr:
    """The domain of an address, in lower case; the empty sender stays empty, a name without one has none."""
    whole = pl.col(address)
    named = whole.str.extract("@([^@]*)$", 1).str.to_lowercase()
    return pl.when(whole == "").then(pl.lit("")).otherwise(named)


KEYS: Final[dict[str, pl.Expr]] = {
    # A quarter of an hour: it divides every zone's hours, so that hours can be told in any zone.
    "slot": (pl.col("time").dt.epoch("s") // SLOT_S).alias("slot"),
    "slot:first_time": (pl.col("first_time").dt.epoch("s") // SLOT_S).alias("slot"),
    # An attempt without words is told apart from rows that were pooled, whose shape is null.
    "shape:attempt": reason_shape(pl.col("reason").fill_null("")).alias("shape"),
    "shape:verdict": reason_shape(pl.col("reason")).alias("shape"),
    "shape:note": shape(pl.col("reason")).alias("shape"),
    "recipient_domain": pl.col("recipient")
    .str.extract("@([^@]*)$", 1)
    .str.to_lowercase()
    .alias("recipient_domain"),
    # Where a client is from, as far as the line tells it.
    "client": pl.coalesce("client_ip", "client_host").alias("client"),
    # Notifications and forwarded copies, which are made here, and what was requeued; null where the
    # beginning is not in the log.
    "internal": pl.col("origin").is_in(NOT_FROM_OUTSIDE).alias("internal"),
    **{f"bucket:{stage}": bucket(stage) for stage in STAGES},
    **{f"domain:{address}": domain_of(address).alias("domain") for address in ("sender", "recipient")},
}
# Envelope senders of notifications of notifications: Postfix's double_bounce_sender; qmail-send(8).
DOUBLE_BOUNCE: Final = pl.col("sender").str.starts_with("double-bounce@") | (pl.col("sender") == "#@[]")
SENT: Final = pl.col("status") == "sent"
WHERE: Final[dict[str, pl.Expr]] = {
    "unsent": ~SENT & ~pl.col("status").is_in(["deliverable", "undeliverable"]),
    "user": pl.col("sasl_user").is_not_null(),
    "failed": pl.col("event") == "login_failed",
    # Taken in from outside and not turned away at the last moment; a null origin compares as null.
    "received": ~pl.col("origin").is_in(NOT_FROM_OUTSIDE) & ~pl.col("went").is_in(["refused", "incomplete"]),
    **{f"sent:{stage}": SENT & pl.col(stage).is_not_null() for stage in STAGES},
}


def key(name: str, zone: str = "UTC") -> pl.Expr:
    """The expression of a key; a name without an entry is a column.  Days are those of a time zone."""
    if name == DAY:
        return day_of("time", zone).alias(DAY)
    return KEYS[name] if name in KEYS else pl.col(name)


def day_of(time: str, zone: str) -> pl.Expr:
    """The day, in a time zone, of instants in UTC."""
    return pl.col(time).dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.date()


def column(name: str) -> str:
    """The column that a key's values stand in."""
    return name.partition(":")[0]
