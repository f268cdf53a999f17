"""From one message to the next on the same host: through a content filter, or to another instance.

The next hop's reply (``queued as ID``) names the message that it made of this one; with detail, so do
``forwarded as ID`` and the lines that tell of notifications.  What the reply names on another host is left
to ``hops``; other links (qmail's, requeued messages, Message-IDs) are only looked for where a person asks
for one message (``narrative``).
"""

from __future__ import annotations

from collections.abc import Mapping
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
FORWARDED_AS: Final = r"^forwarded as ([0-9A-Za-z]{6,})$"
FILTERED: Final = "filtered"
CERTAIN: Final = "certain"
LINKS: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "trail": pl.UInt64,
    "trail_to": pl.UInt64,
    "time": pl.Datetime("us"),
    "kind": pl.String,
    "next_queue_id": pl.String,
    "evidence": pl.String,
    "confidence": pl.String,
}


def none() -> pl.DataFrame:
    """No links."""
    return pl.DataFrame(schema=LINKS)


def link(
    steps: Steps, slots: Assignment, messages: pl.DataFrame, deliveries: pl.DataFrame, *, detail: bool
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Links that this batch shows, the messages with their ``filtered`` flag, deliveries to other hosts.

    ``queued as ID`` in the reply of the next hop, where ID is a message of the same host: the next hop
    was a content filter, or another instance on the same host.  Where it is none, the delivery is one to
    another host (only with ``detail``: the columns of ``hops.CLAIMS``).
    """
    if "linked" in deliveries.columns:
        # The other part of the log has found the message that these led to (``partial.py``).
        deliveries = deliveries.filter(~pl.col("linked").fill_null(False))
    claims = _replies(deliveries, detail=detail)
    if detail:
        told = [_forwards(deliveries), _notifications(steps, slots, messages)]
        claims = pl.concat([claims, *told], how="diagonal")
    if not len(claims):
        return none(), messages, claims
    claims = claims.with_row_index("claim")
    hits = _hits(steps, slots, messages, claims)
    passes = hits.filter(pl.col("kind") == FILTERED)["row"].unique()
    if len(passes):
        flagged = messages["filtered"].scatter(passes, True)
        messages = messages.with_columns(flagged.alias("filtered"))
    evidence = (pl.col("words") + pl.col("next_queue_id")).alias("evidence")
    links = hits.with_columns(evidence, pl.lit(CERTAIN).alias("confidence")).select(list(LINKS))
    if not detail:
        return links, messages, claims.clear()
    elsewhere = claims.filter(pl.col("kind") == FILTERED).join(hits, on="claim", how="anti")
    return links, messages, elsewhere.with_columns(evidence)


def _replies(deliveries: pl.DataFrame, *, detail: bool) -> pl.DataFrame:
    """Deliveries whose reply names another message."""
    sent = deliveries.filter((pl.col("status") == "sent") & pl.col("reason").str.contains(SAYS_SO))
    words = sent["reason"]
    next_id = pl.select(
        pl.coalesce(words.str.extract(QUEUED_AS, 1), words.str.extract(QUEUED_AS, 2)).alias("next_queue_id")
    ).to_series()
    more = ("host", "relay_host") if detail else ()
    return _claims(sent, next_id, pl.lit(FILTERED), pl.lit("queued as "), more)


def _forwards(deliveries: pl.DataFrame) -> pl.DataFrame:
    """Deliveries by which a message went on under another id: aliases and .forward files."""
    sent = deliveries.filter((pl.col("status") == "sent") & pl.col("reason").str.contains(FORWARDED_AS))
    next_id = sent["reason"].str.extract(FORWARDED_AS, 1).alias("next_queue_id")
    return _claims(sent, next_id, pl.lit("forwarded"), pl.lit("forwarded as "))


def _notifications(steps: Steps, slots: Assignment, messages: pl.DataFrame) -> pl.DataFrame:
    """Lines that tell under which id a notification was made of a message."""
    lines = steps["bounced_to_sender"]
    if "bounced_to_sender" in slots.rows:
        # The messages that a batch touches stand behind all others.
        touched = messages["trail"].tail(slots.count)
        lines = lines.with_columns(take(touched, slots.rows["bounced_to_sender"]))
    else:
        lines = lines.clear().with_columns(pl.lit(None, pl.UInt64).alias("trail"))
    words = pl.col("reason").fill_null("")
    failed = words.str.contains(r"non-delivery|^return to sender: ") | (
        words.str.starts_with("DSN: ") & ~words.str.starts_with("DSN: Return receipt")
    )
    kind = pl.when(failed).then(pl.lit("bounced")).otherwise(pl.lit("notified"))
    return _claims(lines, lines["next_queue_id"], kind, words + ": ")


def _claims(
    lines: pl.DataFrame, next_id: pl.Series, kind: pl.Expr, words: pl.Expr, more: tuple[str, ...] = ()
) -> pl.DataFrame:
    """What lines say of another message.  ``key``: that message's, if it is one of the same host."""
    # key ^ hash(own id) is the place; with the other id's hash it is the other message's key.
    target = lines["key"] ^ lines["queue_id"].hash() ^ next_id.hash()
    return lines.select(
        "trail",
        "time",
        *more,
        target.alias("key"),
        next_id,
        pl.col("order").cast(pl.Int64),
        kind.alias("kind"),
        words.alias("words"),
    ).filter(pl.col("next_queue_id").is_not_null())


def _hits(steps: Steps, slots: Assignment, messages: pl.DataFrame, claims: pl.DataFrame) -> pl.DataFrame:
    """The claims that name a message of the same host, with its ``trail_to`` and ``row``."""
    live = messages.select("key", "trail", "superseded", "last_time", "ended").with_row_index("row")
    if slots.superseded.any():
        hits = _of_that_time(claims, live, _began(steps, slots, messages.height))
    else:
        hits = claims.join(live.filter(~pl.col("superseded")), on="key", how="inner", suffix="_to")
        if len(hits):
            hits = hits.filter(take(_began(steps, slots, messages.height), hits["row"]) <= hits["order"])
    # An id that was free again by then says nothing.
    kept = pl.when(pl.col("ended").is_null()).then(LIFETIME).otherwise(GRACE)
    return hits.filter((pl.col("time") - pl.col("last_time") <= kept).fill_null(True))


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
