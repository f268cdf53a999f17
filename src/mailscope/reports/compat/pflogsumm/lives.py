"""What is known of a queue id at each of its lines: was it received, how large is it?

Queue ids are used again.  1.3.0 forgets a message when its queue file is removed (and where it is forwarded
or refused after all), and begins anew; 1.1.5 never forgets a size.  All lines of one queue id are followed in
their order, without a loop: they are sorted, and the last line of each kind is carried forward.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

RECEIVED, SIZED, SENT, EXPIRED, ENDED, WAITING = range(6)
_KINDS: Final = {"received": RECEIVED, "sized": SIZED, "sent": SENT, "expired": EXPIRED, "waiting": WAITING}


@dataclass
class Lives:
    """What came of following queue ids.

    ``senders``: the sized messages that count, with ``whence`` (null: not received, only its size is known);
    ``sizes``: for each sent row its size, null where there is none; ``unsized``: messages received, or sent,
    of which no size was ever told; ``expired``: the relay that each expired message waited for.
    """

    senders: pl.DataFrame
    sizes: pl.Series
    unsized: int
    expired: list[str]


def follow(events: dict[str, pl.DataFrame], ended: pl.DataFrame, *, current: bool) -> Lives:
    """Follow all queue ids through the events of all chunks (``picked.EVENTS``)."""
    frames = [
        _lines(frame, _KINDS[name])
        for name, frame in events.items()
        if name in _KINDS and (current or name not in ("waiting", "expired"))
    ]
    if current:
        frames.append(_lines(ended, ENDED))
    lines = pl.concat(frames).with_columns(pl.col("queue_id").cast(pl.Categorical).to_physical().alias("id"))
    lines = lines.drop("queue_id").sort("id", "row")
    return _followed(lines.with_row_index("at"), events, current=current)


def _lines(events: pl.DataFrame, kind: int) -> pl.DataFrame:
    """Events of one kind as lines, with size and origin where the kind has them."""
    size, whence = (
        pl.col(name) if name in events.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in (("size", pl.Int64), ("whence", pl.String))
    )
    return events.select("queue_id", "row", pl.lit(kind, pl.Int8).alias("kind"), size, whence)


def _followed(lines: pl.DataFrame, events: dict[str, pl.DataFrame], *, current: bool) -> Lives:
    kind, at = pl.col("kind"), pl.col("at")
    new = (pl.col("id") != pl.col("id").shift(1)).fill_null(True)
    begins = new | (kind.shift(1) == ENDED).fill_null(False) if current else new
    large = (kind == SIZED) & (pl.col("size") > 0)

    def last(condition: pl.Expr) -> pl.Expr:
        return pl.when(condition).then(at).forward_fill()

    lines = lines.with_columns(last(begins).alias("life"), last(large).alias("large"))
    # The first size above 0 of a life stands; those after it are passed over.
    fresh = (pl.col("large").shift(1) < pl.col("life")).fill_null(True)
    lines = lines.with_columns(((kind == SIZED) & fresh).alias("counts"))
    lines = lines.with_columns(
        last(pl.col("counts") & large).alias("sizing"), last(kind == RECEIVED).alias("arrival")
    )
    lines = lines.with_columns(
        pl.when(kind == RECEIVED).then("whence").forward_fill().alias("origin"),
        pl.when(pl.col("counts") & large).then("size").forward_fill().alias("known"),
    )
    if current:
        received = (pl.col("arrival") >= pl.col("life")).fill_null(False)
    else:
        # Counting a size takes the arrival away, so it must lie directly before, among these two kinds.
        relevant = (kind == RECEIVED) | pl.col("counts")
        marked = pl.when(relevant).then(kind).forward_fill().shift(1)
        place = pl.when(relevant).then(at).forward_fill().shift(1)
        received = ((marked == RECEIVED) & (place >= pl.col("life"))).fill_null(False)
    origin = pl.when(received & ~pl.col("origin").is_in(["", "0"])).then("origin")
    senders = (
        lines.filter("counts").select("row", origin.alias("whence"))
        if current
        else lines.with_columns(origin.alias("whence")).filter("counts").select("row", "whence")
    )
    size = pl.when(pl.col("sizing") >= pl.col("life")).then("known")
    sizes = lines.filter(kind == SENT).select("row", size.alias("size"))
    # In the order of the sent rows, which is that of the log.
    ordered = sizes.sort("row")["size"]
    senders = events["sized"].join(senders, on="row", how="inner", maintain_order="left")
    if not current:
        return Lives(senders, ordered, 0, [])
    return Lives(senders, ordered, _unsized(lines), _relays(lines, events))


def _unsized(lines: pl.DataFrame) -> int:
    """Messages that are still known when the log ends, and have no size."""
    lives = lines.group_by("life").agg(
        pl.col("id").first(),
        pl.col("kind").is_in([RECEIVED, SENT, EXPIRED]).any().alias("known"),
        (pl.col("kind") == SIZED).any().alias("sized"),
        (pl.col("kind") == ENDED).any().alias("over"),
    )
    return lives.filter(pl.col("known") & ~pl.col("sized") & ~pl.col("over")).height


def _relays(lines: pl.DataFrame, events: dict[str, pl.DataFrame]) -> list[str]:
    """The relay that each expired message was last waiting for; empty where the log does not tell."""
    over = lines.filter(pl.col("kind") == EXPIRED)
    if not len(over):
        return []
    told = lines.filter(pl.col("life").is_in(over["life"].unique().to_list()))
    told = told.join(events["waiting"].select("row", "relay"), on="row", how="left", maintain_order="left")
    relays = []
    life, known, relay = None, False, ""
    for begin, kind, waits_for in told.select("life", "kind", "relay").iter_rows():
        if begin != life:
            life, known, relay = begin, False, ""
        if kind == WAITING:
            relay = waits_for if known else relay
        else:
            known = True
        if kind == EXPIRED:
            relays.append(relay)
    return relays
