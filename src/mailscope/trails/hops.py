"""From host to host: deliveries whose next hop told the queue id of a message that another host logged.

A delivery is held until its log is so far on that the other host's lines have been met, however much the
clocks differ (``WAIT``); then the message of that id that began nearest to it is what it became.  So a link
does not depend on how the lines were cut, and what is held is bounded: the deliveries of some minutes.  How
sure a link is: the rule of ``narrative.trust`` for told ids, without recipients.  Message-IDs alone are
looked at only where a person asks for one message (``narrative``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from mailscope.trails.links import LINKS, none

# A message begins before its id is told (the transaction), or, by another clock, after it.
BEFORE: Final = timedelta(minutes=15)
CLOCKS: Final = timedelta(minutes=5)
WAIT: Final = CLOCKS + timedelta(seconds=10)
RELAYED: Final = "relayed"
NOBODY: Final = ("localhost", "unknown", "local", "")

CLAIMS: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "trail": pl.UInt64,
    "time": pl.Datetime("us"),
    "host": pl.String,
    "relay_host": pl.String,
    "next_queue_id": pl.String,
    "evidence": pl.String,
}

# What is asked of a delivery's own message, and how it is named beside that of the other one.
MINE: Final[Mapping[str, str]] = {"message_id": "mine", "sender": "from"}


def no_claims() -> pl.DataFrame:
    """No deliveries are held."""
    return pl.DataFrame(schema=CLAIMS)


def held(waiting: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """The deliveries that wait, with those of a batch (columns of CLAIMS and others)."""
    fresh = new.filter(pl.col("time").is_not_null() & pl.col("host").is_not_null())
    return pl.concat([waiting, fresh.select(list(CLAIMS))]) if len(fresh) else waiting


def hop(
    waiting: pl.DataFrame, messages: pl.DataFrame, now: datetime | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Links of the deliveries that have waited long enough (``now`` None: of all), and those that wait on.

    ``messages``: those under way and those that have just ended.
    """
    if not len(waiting):
        return none(), waiting
    due = pl.lit(True) if now is None else pl.col("time") + WAIT < now
    ripe, rest = waiting.filter(due), waiting.filter(~due)
    if not len(ripe):
        return none(), rest
    mine = messages.select("trail", *(pl.col(name).alias(other) for name, other in MINE.items()))
    return matched(ripe.join(mine, on="trail", how="left", maintain_order="left"), messages), rest


def matched(claims: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
    """The links of deliveries (CLAIMS, and MINE of their own messages) to messages of other hosts."""
    told = messages.select("trail", "queue_id", "host", "first_time", "message_id", "client_host", "sender")
    # An id that was free again by then says nothing.
    over = messages["ended"].is_not_null() | messages["endless"].fill_null(False)
    last = messages["last_time"]
    pairs = (
        claims.with_row_index("claim")
        .join(
            told.with_columns(over.alias("over"), last).rename({"trail": "trail_to"}),
            left_on="next_queue_id",
            right_on="queue_id",
            suffix="_to",
        )
        .filter(
            (pl.col("host") != pl.col("host_to"))
            & pl.col("first_time").is_between(pl.col("time") - BEFORE - CLOCKS, pl.col("time") + WAIT)
            & ~(pl.col("over") & (pl.col("last_time") < pl.col("time") - CLOCKS))
        )
        .sort("claim", (pl.col("first_time") - pl.col("time")).abs(), "host_to")
    )
    if not len(pairs):
        return none()
    found = (
        pairs.with_columns(_confidence().alias("confidence"), pl.lit(RELAYED).alias("kind"))
        .filter(pl.col("confidence").is_not_null())
        .unique("claim", keep="first", maintain_order=True)
    )
    return found.select(list(LINKS))


def _confidence() -> pl.Expr:
    """How sure a told id is, by Message-IDs and names; null: it is another message's."""
    one, two = (
        pl.when(pl.col(name) != "").then(pl.col(name)).otherwise(None) for name in ("mine", "message_id")
    )
    names = _same_host("relay_host", "host_to") | _same_host("client_host", "host")
    return (
        pl.when((one != two).fill_null(False))
        .then(pl.when(names).then(pl.lit("possible")))
        .when((one == two).fill_null(False) | names | (pl.col("from") == pl.col("sender")).fill_null(False))
        .then(pl.lit("certain"))
        .otherwise(pl.lit("likely"))
    )


def _same_host(one: str, two: str) -> pl.Expr:
    """Whether two names are one host's: the same, or one of them is the other without its domain."""
    a, b = (pl.col(name).str.to_lowercase().str.strip_chars_end(".") for name in (one, two))
    alike = (a == b) | a.str.starts_with(b + ".") | b.str.starts_with(a + ".")
    return (alike & ~a.is_in(NOBODY) & ~b.is_in(NOBODY)).fill_null(False)
