"""What is known of each message: gathered from its lines, slot by slot.

Everything here is scatter and gather on small integers (slots), which is an order of magnitude
cheaper than joins: the first line that tells a thing about a message wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from mailscope.trails import links
from mailscope.trails.identity import BEGIN, END, LIFE, TURNED_AWAY, Assignment
from mailscope.trails.steps import Steps
from mailscope.vocabulary.columns import constant, take

TIME: Final = pl.Datetime("us")
SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "trail": pl.UInt64,
    "key": pl.UInt64,
    "queue_id": pl.String,
    "host": pl.String,
    "instance": pl.String,
    "program": pl.String,
    # What took the message in: smtpd, pickup, qmail ..., "internal" (notification, forward), or "requeued"
    # (postsuper -r: the same message as before under a new id).
    "origin": pl.String,
    "first_time": TIME,
    "last_time": TIME,
    "sender": pl.String,
    "size_bytes": pl.Int64,
    "recipient_count": pl.Int64,
    "message_id": pl.String,
    "client_host": pl.String,
    "client_ip": pl.String,
    "sasl_user": pl.String,
    "qp": pl.Int64,
    # How it left the queue: removed, deleted, discarded, refused, or requeued under another id; null while
    # it is there.
    "ended": pl.String,
    # Its queue file is gone, so that its id is free (a message that was refused may still get lines).
    "gone": pl.Boolean,
    "expired": pl.Boolean,
    "held": pl.Boolean,
    "refused": pl.Boolean,
    # At least one attempt for one recipient was put off.
    "deferred": pl.Boolean,
    # It came back from a content filter, so that it is the second pass of a message seen before.
    "filtered": pl.Boolean,
    # Its MTA logs no end of a message (``singleline.py``).
    "endless": pl.Boolean,
    # A later message has taken its queue id over although no end was logged.
    "superseded": pl.Boolean,
}
# Column -> the kinds of event that tell it; of several lines, the first one does.
TOLD_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "sender": ("queued",),
    "size_bytes": ("queued",),
    "recipient_count": ("queued",),
    "message_id": ("identified",),
    "client_host": ("accepted",),
    "client_ip": ("accepted",),
    "sasl_user": ("accepted",),
    "qp": ("queued",),
    "instance": ("queued", "identified", "accepted"),
    "program": ("queued", "identified", "accepted"),
}
COUNTED: Final = frozenset({"sender", "size_bytes", "recipient_count"})
# Kind of line that ends a message -> the word for such an end; where several do, the last of these counts.
ENDS: Final = {
    "removed": "removed",
    "renamed": "requeued",
    "refused": "refused",
    "discarded": "discarded",
    "deleted": "deleted",
}
FLAGS: Final = {
    "expired": "given_up",
    "held": "held",
    "refused": "refused",
    "deferred": "deferred",
    "endless": "endless",
}
END_STAGES: Final = ("END-OF-MESSAGE", "DATA", "BDAT", "EOM", "END-OF-DATA")
INTERNAL: Final = "internal"
REQUEUED: Final = "requeued"
PICKUP: Final = "pickup"
NEVER: Final = (1 << 32) - 1


def empty() -> pl.DataFrame:
    """No messages."""
    return pl.DataFrame(schema=SCHEMA)


def tell(
    steps: Steps, slots: Assignment, state: pl.DataFrame, first_trail: int, *, detail: bool
) -> pl.DataFrame:
    """One row per slot: what was known before, and what this batch adds."""
    count = slots.count
    if not count:
        return empty()
    carried = state.select(pl.all().gather(slots.carried["state_row"])) if len(slots.carried) else empty()
    at = slots.carried["slot"]
    before = {name: _nulls(count, dtype) for name, dtype in SCHEMA.items()}
    if len(carried):
        before = {name: column.scatter(at, carried[name]) for name, column in before.items()}
    new: dict[str, pl.Series] = {"key": slots.key, "superseded": slots.superseded}
    numbers = pl.int_range(first_trail, first_trail + count, dtype=pl.UInt64, eager=True)
    new["trail"] = _either(before["trail"], numbers)
    new["queue_id"] = _any(steps, slots, "queue_id", before["queue_id"])
    new["host"] = _any(steps, slots, "host", before["host"])
    for name, kinds in TOLD_BY.items():
        new[name] = (
            _first(steps, slots, name, kinds, before[name]) if detail or name in COUNTED else before[name]
        )
    new["origin"] = _origin(steps, slots, before["origin"])
    new["first_time"], new["last_time"] = _span(steps, slots, before)
    new["ended"] = _ended(slots, before["ended"])
    for name, kind in FLAGS.items():
        flag = before[name].fill_null(False)
        if kind in slots.rows:
            flag = flag.scatter(slots.rows[kind], True)
        new[name] = flag
    if "released" in slots.rows:
        new["held"] = new["held"].scatter(_released(steps, slots), False)
    new["gone"] = _gone(steps, slots, before["gone"])
    new["filtered"] = before["filtered"].fill_null(False)
    return pl.DataFrame([new[name].cast(dtype).alias(name) for name, dtype in SCHEMA.items()])


def _nulls(length: int, dtype: pl.DataType | type[pl.DataType]) -> pl.Series:
    return pl.Series([None], dtype=dtype).new_from_index(0, length)


def _either(one: pl.Series, two: pl.Series) -> pl.Series:
    if one.null_count() == 0:
        return one
    return two if one.null_count() == len(one) else pl.select(pl.coalesce(one, two)).to_series()


def _any(steps: Steps, slots: Assignment, name: str, before: pl.Series) -> pl.Series:
    """A value that all lines of a message share, from whichever is at hand."""
    value = before
    for kind, slot in slots.rows.items():
        if value.null_count():
            value = _either(value, _nulls(slots.count, value.dtype).scatter(slot, steps[kind][name]))
    return value


def _first(
    steps: Steps, slots: Assignment, name: str, kinds: tuple[str, ...], before: pl.Series
) -> pl.Series:
    """The value of the first line of any of the kinds that tells one, for each slot."""
    told = [_told(steps, slots, name, kind) for kind in kinds if kind in slots.rows]
    told = [columns for columns in told if len(columns[0])]
    if not told or not before.null_count():
        return before
    slot, value = told[0][0], told[0][1]
    if len(told) > 1:
        lines = pl.concat([pl.DataFrame(columns) for columns in told]).sort("order", maintain_order=True)
        slot, value = lines["slot"], lines[name]
    return _either(before, _nulls(slots.count, before.dtype).scatter(slot.reverse(), value.reverse()))


def _told(steps: Steps, slots: Assignment, name: str, kind: str) -> list[pl.Series]:
    """Slot, value and order of the lines of a kind that tell a value."""
    frame, slot = steps[kind], slots.rows[kind]
    value = frame[name]
    columns = [slot.alias("slot"), value, frame["order"]]
    if value.null_count():
        known = value.is_not_null()
        columns = [column.filter(known) for column in columns]
    return columns


def _origin(steps: Steps, slots: Assignment, before: pl.Series) -> pl.Series:
    """Which service took the message in; INTERNAL where it comes into the queue without an acceptance."""
    origin = before
    if "accepted" in slots.rows:
        frame = steps["accepted"]
        service = frame.select(
            pl.when(_requeued()).then(pl.lit(REQUEUED)).otherwise(pl.coalesce("service", "program"))
        ).to_series()
        slot = slots.rows["accepted"]
        origin = _either(origin, _nulls(slots.count, pl.String).scatter(slot, service))
    if "identified" in slots.rows and origin.null_count():
        slot = slots.rows["identified"]
        if "queued" in slots.rows or len(slots.carried):
            # After the queue manager's line, a Message-ID is no arrival; one line may be both
            # (``singleline.py``).
            slot = slot.filter(steps["identified"]["order"] <= take(_sized_at(steps, slots, NEVER), slot))
        made_here = _nulls(slots.count, pl.String).scatter(slot, INTERNAL)
        origin = _either(origin, made_here)
    return origin


def _sized_at(steps: Steps, slots: Assignment, otherwise: int) -> pl.Series:
    """Order of the first line that told each message's size: -1 for one in an earlier batch."""
    first = constant(otherwise, slots.count, pl.Int64)
    if "queued" in slots.rows:
        order = steps["queued"]["order"].cast(pl.Int64)
        first = first.scatter(slots.rows["queued"].reverse(), order.reverse())
    if len(slots.carried):
        first = first.scatter(slots.carried.filter("sized")["slot"], -1)
    return first


def _span(steps: Steps, slots: Assignment, before: dict[str, pl.Series]) -> tuple[pl.Series, pl.Series]:
    firsts, lasts = [before["first_time"]], [before["last_time"]]
    for kind, slot in slots.rows.items():
        time = steps[kind]["time"]
        if not time.is_sorted():
            # Clocks go back now and then; the first and last line are then not the earliest and latest.
            order = time.arg_sort(nulls_last=True).head(len(time) - time.null_count())
            slot, time = take(slot, order), take(time, order)
        blank = _nulls(slots.count, TIME)
        firsts.append(blank.clone().scatter(slot.reverse(), time.reverse()))
        lasts.append(blank.scatter(slot, time))
    both = pl.select(first=pl.min_horizontal(firsts), last=pl.max_horizontal(lasts))
    return both["first"], both["last"]


def _ended(slots: Assignment, before: pl.Series) -> pl.Series:
    ended = before.clone()
    words: list[str] = []
    for kind, word in ENDS.items():
        words.append(word)
        if kind not in slots.rows:
            continue
        slot = slots.rows[kind].unique()
        if before.null_count() < len(before):
            # What is known already counts more, unless it is one of the words so far.
            known = take(before, slot)
            slot = slot.filter(known.is_null() | known.is_in(words))
        ended = ended.scatter(slot, word)
    return ended


def _gone(steps: Steps, slots: Assignment, before: pl.Series) -> pl.Series:
    """Whether the last line that ended a message was one after which its id is free."""
    gone = before.fill_null(False)
    last = _nulls(slots.count, pl.UInt32)
    for kind in ENDS:
        if kind in slots.rows and LIFE[kind] == END:
            gone = gone.scatter(slots.rows[kind], True)
            last = pl.select(
                pl.max_horizontal(
                    last, _nulls(slots.count, pl.UInt32).scatter(slots.rows[kind], steps[kind]["order"])
                )
            ).to_series()
    for kind in ENDS:
        if kind in slots.rows and LIFE[kind] == TURNED_AWAY:
            slot = slots.rows[kind]
            later = (steps[kind]["order"] > take(last, slot)).fill_null(True)
            gone = gone.scatter(slot.filter(later), False)
    return gone


def life() -> pl.Expr:
    """What the state of messages means for their queue ids (``identity.py``)."""
    code = pl.when("gone").then(END).when(pl.col("ended").is_not_null()).then(TURNED_AWAY).otherwise(BEGIN)
    return code.cast(pl.Int8).alias("life")


def _released(steps: Steps, slots: Assignment) -> pl.Series:
    """Slots of the messages that were released and not put on hold again."""
    slot = slots.rows["released"]
    if "held" not in slots.rows:
        return slot
    released = pl.DataFrame({"slot": slot, "order": steps["released"]["order"]})
    held = pl.DataFrame({"slot": slots.rows["held"], "order": steps["held"]["order"]})
    last = held.group_by("slot").agg(pl.col("order").max().alias("held"))
    again = pl.col("held").is_not_null() & (pl.col("held") > pl.col("order"))
    lines = released.group_by("slot").agg(pl.col("order").max()).join(last, on="slot", how="left")
    return lines.filter(~again)["slot"]


def _requeued() -> pl.Expr:
    """Whether an acceptance is that of a message that postsuper -r gave a new id."""
    # smtpd tells the id that the message had on another host or before a content filter, which is no requeue.
    return (pl.col("service") == PICKUP) & pl.col("orig_queue_id").is_not_null()


def renamed(accepted: pl.DataFrame) -> pl.DataFrame:
    """The acceptances of requeued messages, as the ends of the messages under their old ids."""
    again = accepted.filter(_requeued())
    # key ^ hash(own id) is the place; with the other id's hash it is the other message's key.
    old = again["key"] ^ again["queue_id"].hash() ^ again["orig_queue_id"].hash()
    return again.with_columns(old.alias("key"), pl.col("orig_queue_id").alias("queue_id"))


def with_message(
    steps: Steps, attempts: pl.DataFrame, slots: Assignment, touched: pl.DataFrame
) -> pl.DataFrame:
    """Attempts with trail, sender and size of their message."""
    if "delivery_attempted" not in slots.rows:
        return attempts.with_columns(
            pl.lit(None, pl.UInt64).alias("trail"),
            pl.lit(None, pl.String).alias("sender"),
            pl.lit(None, pl.Int64).alias("size_bytes"),
        )
    slot = slots.rows["delivery_attempted"]
    if attempts["delay_s"].null_count():
        attempts = attempts.with_columns(_age(attempts, slot, touched))
    told = [take(touched["sender"], slot), take(touched["size_bytes"], slot)]
    if "queued" in slots.rows:
        told = _known_by_then(steps, slots, attempts, told)
    return attempts.with_columns(take(touched["trail"], slot), *told)


def _known_by_then(
    steps: Steps, slots: Assignment, attempts: pl.DataFrame, told: list[pl.Series]
) -> list[pl.Series]:
    """Sender and size where a line before the attempt told them.

    Where a log begins in the middle of things, an attempt may come first; whether it stands in one batch
    with the line that tells must not matter.
    """
    early = attempts["order"] < take(_sized_at(steps, slots, 0), slots.rows["delivery_attempted"])
    if not early.any():
        return told
    return [pl.select(pl.when(~early).then(column).alias(column.name)).to_series() for column in told]


def _age(attempts: pl.DataFrame, slot: pl.Series, touched: pl.DataFrame) -> pl.Series:
    """``delay_s`` with the message's age where the line tells none (qmail) and its arrival was seen."""
    born = touched.select(pl.when(pl.col("origin").is_not_null()).then("first_time")).to_series().gather(slot)
    age = (attempts["time"] - born).dt.total_microseconds() / 1e6
    return pl.select(pl.coalesce(attempts["delay_s"], age).alias("delay_s")).to_series()


def arrivals(steps: Steps, slots: Assignment, touched: pl.DataFrame) -> pl.DataFrame:
    """Messages that were taken in: the acceptance lines with their trail."""
    frame = steps["accepted"]
    trail = take(touched["trail"], slots.rows["accepted"]) if "accepted" in slots.rows else None
    return frame.with_columns(trail if trail is not None else pl.lit(None, pl.UInt64).alias("trail"))


def sized(steps: Steps, slots: Assignment, touched: pl.DataFrame) -> pl.DataFrame:
    """The first ``queued`` line of each message of the batch: sender, size, recipients, origin."""
    frame = steps["queued"]
    if "queued" not in slots.rows:
        return frame.with_columns(
            pl.lit(None, pl.UInt64).alias("trail"), pl.lit(None, pl.String).alias("origin")
        )
    slot = slots.rows["queued"]
    frame = frame.with_columns(take(touched["trail"], slot), take(touched["origin"], slot))
    known = slots.carried["slot"] if len(slots.carried) else None
    if known is not None:
        # Sender and size of a message from an earlier batch were counted when they became known.
        frame = frame.filter(~slot.is_in(known.implode()) | _unsized(slots, slot))
        slot = slot.filter(~slot.is_in(known.implode()) | _unsized(slots, slot))
    if slot.is_duplicated().any():
        frame = frame.filter(slot.is_first_distinct())
    return frame


def _unsized(slots: Assignment, slot: pl.Series) -> pl.Series:
    """Whether the message of a row was carried over without a size."""
    unsized = slots.carried.filter(~pl.col("sized"))["slot"] if "sized" in slots.carried.columns else None
    return (
        slot.is_in(unsized.implode())
        if unsized is not None
        else pl.Series([False]).new_from_index(0, len(slot))
    )


def nothing() -> dict[str, pl.DataFrame]:
    """Empty frames of every kind that a batch can add."""
    return {
        "deliveries": pl.DataFrame(),
        "arrivals": pl.DataFrame(),
        "sized": pl.DataFrame(),
        "messages": empty(),
        "recipients": pl.DataFrame(),
        "links": links.none(),
    }
