"""Derived keys and conditions that tallies name."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.tallies.shape import shape
from mailscope.tallies.tally import SLOT_S, bucket

KEYS: Final[dict[str, pl.Expr]] = {
    # A quarter of an hour: it divides every zone's hours, so that hours can be told in any zone.
    "slot": (pl.col("time").dt.epoch("s") // SLOT_S).alias("slot"),
    "shape": shape(pl.col("reason")).alias("shape"),
    "bucket:delay_s": bucket("delay_s"),
    "bucket:delay_before_queue_s": bucket("delay_before_queue_s"),
    "bucket:delay_in_queue_s": bucket("delay_in_queue_s"),
    "bucket:delay_connect_s": bucket("delay_connect_s"),
    "bucket:delay_transmit_s": bucket("delay_transmit_s"),
}
WHERE: Final[dict[str, pl.Expr]] = {
    "": pl.lit(True),
    "sent": pl.col("status") == "sent",
    "unsent": (pl.col("status") != "sent") & ~pl.col("status").is_in(["deliverable", "undeliverable"]),
    "user": pl.col("sasl_user").is_not_null(),
    "failed": pl.col("event") == "login_failed",
    **{f"has:{name}": pl.col(name).is_not_null() for name in (
        "delay_s", "delay_before_queue_s", "delay_in_queue_s", "delay_connect_s", "delay_transmit_s",
    )},
}  # fmt: skip


def key(name: str) -> pl.Expr:
    """The expression of a key; a name without an entry is a column."""
    return KEYS[name] if name in KEYS else pl.col(name)


def column(name: str) -> str:
    """The column that a key's values stand in."""
    return "bucket" if name.startswith("bucket:") else name
