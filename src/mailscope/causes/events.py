"""The cause of single events: attempts that did not deliver, and refusals."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.causes.catalogue import INCOMING, OUTGOING, Direction
from mailscope.causes.classify import INPUTS, classify, shaped
from mailscope.vocabulary.columns import constant

ATTEMPT: Final = "delivery_attempted"
# What has a cause, and which side it is told from.
DIRECTIONS: Final[dict[str, Direction]] = {
    ATTEMPT: OUTGOING,
    "rejected": INCOMING,
    "reject_warned": INCOMING,
}
# Attempts that went well, and the answers to address probes.
WELL: Final = ("sent", "deliverable")
# The fields that a cause is told from.
TOLD_FROM: Final = frozenset({"status", "dsn_status", "reply_code", "reason", "action"})
ADDED: Final = ("cause", "blocklist")


def with_causes(event: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Rows of one kind of event with ``cause``, and with ``blocklist`` where the words name one.

    In: the event; its fields, as far as they are known.  Out: the frame; as it is where an event has no
    cause.
    """
    if event not in DIRECTIONS or not len(frame):
        return frame
    failed, told = judged(event, frame)
    places = failed.arg_true()
    nothing = constant(None, len(frame), pl.String)
    named = nothing.scatter(places, told["blocklist"])
    if "blocklist" in frame.columns:
        named = frame.select(pl.coalesce(pl.col("blocklist"), named)).to_series()
    return frame.with_columns(
        nothing.clone().scatter(places, told["cause"]).alias("cause"), named.alias("blocklist")
    )


def judged(event: str, frame: pl.DataFrame) -> tuple[pl.Series, pl.DataFrame]:
    """Which rows have a cause (a mask), and for those what ``classify`` says, with its inputs."""
    missing = [name for name in TOLD_FROM if name not in frame.columns]
    whole = frame.with_columns(pl.lit(None, pl.String).alias(name) for name in missing)
    failed = constant(True, len(whole), pl.Boolean)
    if event == ATTEMPT:
        failed = ~whole["status"].is_in(WELL).fill_null(False)
    reason = pl.col("reason") if event == ATTEMPT else words()
    rows = whole.filter(failed).select(shaped(reason), *(name for name in INPUTS if name != "shape"))
    return failed, rows.hstack(classify(rows, DIRECTIONS[event]))


def words() -> pl.Expr:
    """The words of refusals: the reason, or where there is none what was done, such as rate_limit."""
    done = pl.col("action").str.replace_all("_", " ", literal=True)
    return pl.when(pl.col("reason").fill_null("").str.strip_chars() == "").then(done).otherwise("reason")
