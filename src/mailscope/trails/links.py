"""From one message to the next on the same host: through a content filter, or to another instance.

The next hop's reply (``queued as ID``) names the message that it made of this one.  Other links
(notifications, forwards, requeued messages) are only looked for where a person asks for one message
(``narrative``).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.trails.identity import GRACE, LIFETIME, Assignment
from mailscope.trails.steps import Steps
from mailscope.vocabulary.columns import constant, take

# Postfix; Exim; Sendmail, whose words may lack the reply's code, and OpenSMTPD.
QUEUED_AS: Final = (
    r"(?:queued as |OK id=)([0-9A-Za-z-]{6,})|(?:^|[ :(])([0-9A-Za-z]{8,20}) Message accepted for delivery"
)
SAYS_SO: Final = r"queued as |OK id=|Message accepted for delivery"
FILTERED: Final = "filtered"


def none() -> pl.DataFrame:
    """No links."""
    return pl.DataFrame(
        schema={
            "trail": pl.UInt64,
            "trail_to": pl.UInt64,
            "time": pl.Datetime("us"),
            "kind": pl.String,
            "next_queue_id": pl.String,
        }
    )


def link(
    steps: Steps,
    slots: Assignment,
    messages: pl.DataFrame,
    deliveries: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Links that this batch shows, and the messages with their ``filtered`` flag.

    ``queued as ID`` in the reply of the next hop, where ID is a message of the same host: the next hop
    was a content filter, or another instance on the same host.
    """
    if "linked" in deliveries.columns:
        # The other part of the log has found the message that these led to (``partial.py``).
        deliveries = deliveries.filter(~pl.col("linked").fill_null(False))
    sent = deliveries.filter((pl.col("status") == "sent") & pl.col("reason").str.contains(SAYS_SO))
    if not len(sent):
        return none(), messages
    words = sent["reason"]
    next_id = pl.select(
        pl.coalesce(words.str.extract(QUEUED_AS, 1), words.str.extract(QUEUED_AS, 2))
    ).to_series()
    # key ^ hash(own id) is the place; with the other id's hash it is the other message's key.
    target = sent["key"] ^ sent["queue_id"].hash() ^ next_id.hash()
    found = pl.DataFrame(
        {
            "trail": sent["trail"],
            "key": target,
            "time": sent["time"],
            "next_queue_id": next_id,
            "order": sent["order"].cast(pl.Int64),
        }
    ).filter(next_id.is_not_null())
    live = messages.select("key", "trail", "superseded", "last_time", "ended").with_row_index("row")
    if slots.superseded.any():
        hits = _of_that_time(found, live, _began(steps, slots, messages.height))
    else:
        hits = found.join(live.filter(~pl.col("superseded")), on="key", how="inner", suffix="_to")
        if len(hits):
            hits = hits.filter(take(_began(steps, slots, messages.height), hits["row"]) <= hits["order"])
    # An id that was free again by then says nothing.
    kept = pl.when(pl.col("ended").is_null()).then(LIFETIME).otherwise(GRACE)
    hits = hits.filter((pl.col("time") - pl.col("last_time") <= kept).fill_null(True))
    if not len(hits):
        return none(), messages
    flagged = messages["filtered"].scatter(hits["row"].unique(), True)
    links = hits.select("trail", "trail_to", "time", pl.lit(FILTERED).alias("kind"), "next_queue_id")
    return links, messages.with_columns(flagged.alias("filtered"))


def _began(steps: Steps, slots: Assignment, height: int) -> pl.Series:
    """Order of the first line of each message: -1 if an earlier batch had it, -2 if this one has none."""
    orders = []
    for kind, slot in slots.rows.items():
        blank = constant(None, slots.count, pl.Int64)
        orders.append(blank.scatter(slot.reverse(), steps[kind]["order"].cast(pl.Int64).reverse()))
    began = pl.select(pl.min_horizontal(orders)).to_series()
    if len(slots.carried):
        began = began.scatter(slots.carried["slot"], -1)
    # The messages that a batch touches stand behind all others.
    return pl.concat([constant(-2, height - slots.count, pl.Int64), began])


def _of_that_time(found: pl.DataFrame, live: pl.DataFrame, began: pl.Series) -> pl.DataFrame:
    """Hits on the message that held the id when the line was written, where a batch saw several."""
    candidates = live.with_columns(began.alias("began")).filter(
        (pl.col("began") >= -1) | ~pl.col("superseded")
    )
    return (
        found.sort("order")
        .join_asof(
            candidates.sort("began"),
            left_on="order",
            right_on="began",
            by="key",
            suffix="_to",
            check_sortedness=False,
        )
        .filter(pl.col("row").is_not_null())
    )
