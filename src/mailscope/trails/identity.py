"""Which line belongs to which message, although queue ids are used again.

A queue id is an inode number or a time and an inode number: after a message is removed, its id may
come back at once.  A message (trail) is (host, queue id, generation).  A new generation begins

- at an acceptance, if anything was seen of the id before;
- at a ``queued`` or ``identified`` line, if the id's last message had ended (notifications and
  forwarded mail have no acceptance line),
- at any line that comes longer than GRACE after the last line of a message that has ended, or longer
  than LIFETIME after the last line of one that has not: a message of which the log shows no beginning.

Every other line belongs to the generation that is running, so that lines which syslog delivered late
still join their message.  The rule looks only at the lines of one id and their instants, so that it does
not matter how the lines were cut into batches.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from mailscope.trails.steps import Steps
from mailscope.vocabulary.columns import take

# Late lines still join a message this long after it left the queue.
GRACE: Final = timedelta(minutes=5)
# Postfix's maximal_queue_lifetime and qmail's queuelifetime are five and seven days by default.
LIFETIME: Final = timedelta(days=7)

# What an event means for the life of an id.
BEGIN, GO_ON, END, TURNED_AWAY, OTHER = 1, 2, 3, 4, 0
LIFE: Final = {
    "accepted": BEGIN,
    "identified": GO_ON,
    "queued": GO_ON,
    "removed": END,
    "deleted": END,
    "renamed": END,
    # cleanup logs the Message-ID also of a message that it has just refused or discarded.
    "refused": TURNED_AWAY,
    "discarded": TURNED_AWAY,
}
ENDS: Final = (END, TURNED_AWAY)


@dataclass(frozen=True)
class Assignment:
    """Slots: the messages that a batch touches, numbered 0 to ``count`` - 1.

    ``rows[kind]`` gives the slot of each row of that kind; ``key`` the key of each slot; ``carried``
    has ``slot`` and the row in the state of messages known from before; ``superseded`` marks slots
    whose id a later message of this batch has taken over.
    """

    count: int
    rows: dict[str, pl.Series]
    key: pl.Series
    carried: pl.DataFrame
    superseded: pl.Series


def assign(steps: Steps, known: pl.DataFrame) -> Assignment:
    """Give every row of a batch its message.

    ``known``: messages of earlier batches that still hold their id: ``key``, ``state_row``, ``life`` (BEGIN,
    END or TURNED_AWAY), ``last_time``.
    """
    kinds = [kind for kind, frame in steps.frames.items() if len(frame)]
    if not kinds:
        empty = pl.Series([], dtype=pl.UInt32)
        return Assignment(
            0, {}, pl.Series([], dtype=pl.UInt64), known.clear().with_columns(slot=empty), empty.cast(bool)
        )
    keys = pl.concat([steps[kind]["key"] for kind in kinds])
    code = (keys.rank("dense") - 1).cast(pl.UInt32)
    first = keys.arg_unique()
    slot_key = take(keys, first)
    slot_key = take(slot_key, slot_key.arg_sort())
    count = len(slot_key)
    rows: dict[str, pl.Series] = {}
    at = 0
    for kind in kinds:
        rows[kind] = code.slice(at, len(steps[kind]))
        at += len(steps[kind])
    carried = known.join(
        pl.DataFrame({"key": slot_key, "slot": pl.int_range(count, dtype=pl.UInt32, eager=True)}),
        on="key",
        how="inner",
    )
    odd = _odd_ids(steps, rows, count, carried)
    if not odd.any():
        return Assignment(count, rows, slot_key, carried, _false(count))
    return _split(steps, kinds, rows, slot_key, carried, odd)


def _false(length: int) -> pl.Series:
    return pl.Series([False]).new_from_index(0, length)


def _place(length: int, slot: pl.Series, order: pl.Series, *, last: bool) -> pl.Series:
    """Order of the first or last row of each slot; null where there is none."""
    empty = pl.Series([None], dtype=pl.UInt32).new_from_index(0, length)
    if not len(slot):
        return empty
    return empty.scatter(slot, order) if last else empty.scatter(slot.reverse(), order.reverse())


def _odd_ids(steps: Steps, rows: dict[str, pl.Series], count: int, carried: pl.DataFrame) -> pl.Series:
    """Ids that may hold more than one message in this batch; all others need no further look."""
    begun = _place(count, rows.get("accepted", _none()), _order(steps, "accepted"), last=False)
    first_of, last_of, last_end = [], [], []
    odd = _false(count)
    enders = sum(LIFE.get(kind) in ENDS for kind in rows)
    for kind, slot in rows.items():
        order = _order(steps, kind)
        life = LIFE.get(kind, OTHER)
        if kind != "accepted":
            first_of.append(_place(count, slot, order, last=False))
        if life in ENDS:
            last_end.append(_place(count, slot, order, last=False))
        if life != END or enders > 1:
            last_of.append(_place(count, slot, order, last=True))
        if life in (BEGIN, END) or kind == "identified":
            odd = odd.scatter(slot.filter(slot.is_duplicated()), True) if slot.is_duplicated().any() else odd
    if _longer_than_a_life(steps, carried):
        odd |= _long_lived(steps, rows, count, carried)
    frame = pl.DataFrame({"begun": begun, "odd": odd})
    checks = [pl.col("odd")]
    if first_of:
        frame = frame.with_columns(pl.min_horizontal(first_of).alias("other"))
        checks.append((pl.col("begun") > pl.col("other")).fill_null(False))
    if last_end and last_of:
        # Anything after the end: a new message, or a late line that must not come too late.
        frame = frame.with_columns(
            pl.max_horizontal(last_of).alias("last"), pl.min_horizontal(last_end).alias("end")
        )
        checks.append((pl.col("last") > pl.col("end")).fill_null(False))
    odd = frame.select(pl.any_horizontal(checks)).to_series()
    if len(carried):
        state = carried.select("slot", "life").with_columns(begun=take(begun, carried["slot"]))
        again = state.filter(pl.col("begun").is_not_null() | pl.col("life").is_in(ENDS))["slot"]
        if len(again):
            odd = odd.scatter(again, True)
    return odd


def _longer_than_a_life(steps: Steps, carried: pl.DataFrame) -> bool:
    """Whether the batch, with the messages it goes on with, spans more time than a message may live."""
    times = [frame["time"] for frame in steps.frames.values()] + [carried["last_time"]]
    first = [time for time in (column.min() for column in times) if isinstance(time, datetime)]
    last = [time for time in (column.max() for column in times) if isinstance(time, datetime)]
    return bool(first) and max(last) - min(first) > LIFETIME


def _long_lived(steps: Steps, rows: dict[str, pl.Series], count: int, carried: pl.DataFrame) -> pl.Series:
    """The ids between whose first and last line there is more time than a message may live."""
    lines = [pl.DataFrame([slot.alias("slot"), steps[kind]["time"]]) for kind, slot in rows.items()]
    lines.append(carried.select("slot", pl.col("last_time").alias("time")))
    spans = pl.concat(lines).group_by("slot").agg((pl.col("time").max() - pl.col("time").min()).alias("span"))
    return _false(count).scatter(spans.filter(pl.col("span") > LIFETIME)["slot"], True)


def _none() -> pl.Series:
    return pl.Series([], dtype=pl.UInt32)


def _order(steps: Steps, kind: str) -> pl.Series:
    return steps[kind]["order"] if kind in steps.frames else _none()


def _begins(lines: pl.DataFrame) -> pl.Series:
    """Which lines begin a message: the rules of this module's docstring, for lines in order, by slot.

    Of the lines after an end, only the first that can begin a message does; the others belong to it.
    """
    life = pl.col("life")
    decides = life.is_in((BEGIN, *ENDS))
    marked = lines.select(
        "slot",
        "life",
        gap=pl.col("time") - pl.col("time").cum_max().shift(1).over("slot"),
        before=pl.when(decides).then(life).forward_fill().over("slot").shift(1).over("slot"),
        span=decides.cast(pl.UInt32).cum_sum().over("slot").shift(1).over("slot").fill_null(0),
        first=pl.col("order").cum_count().over("slot") == 1,
    )
    late = pl.col("gap") > GRACE
    may = ((pl.col("before") == END) & (late | (life == GO_ON))) | ((pl.col("before") == TURNED_AWAY) & late)
    marked = marked.with_columns(may.fill_null(False).alias("may"))
    after_end = pl.col("may") & (pl.col("may").cast(pl.UInt32).cum_sum().over("slot", "span") == 1)
    accepted = (life == BEGIN) & ~pl.col("first")
    return marked.select(accepted | after_end | (pl.col("gap") > LIFETIME).fill_null(False)).to_series()


def _split(
    steps: Steps,
    kinds: list[str],
    rows: dict[str, pl.Series],
    slot_key: pl.Series,
    carried: pl.DataFrame,
    odd: pl.Series,
) -> Assignment:
    """Cut the lines of odd ids into generations; those after the first get slots of their own."""
    count = len(slot_key)
    pieces = []
    for number, kind in enumerate(kinds):
        mine = take(odd, rows[kind])
        if mine.any():
            pieces.append(
                pl.DataFrame(
                    {
                        "slot": rows[kind].filter(mine),
                        "order": _order(steps, kind).filter(mine).cast(pl.Int64),
                        "row": mine.arg_true(),
                        "time": steps[kind]["time"].filter(mine),
                    }
                ).with_columns(
                    pl.lit(number, pl.Int32).alias("kind"),
                    pl.lit(LIFE.get(kind, OTHER), pl.Int8).alias("life"),
                )
            )
    before = carried.filter(take(odd, carried["slot"])).select(
        "slot",
        pl.lit(-1, pl.Int64).alias("order"),
        pl.lit(None, pl.UInt32).alias("row"),
        pl.col("last_time").alias("time"),
        pl.lit(-1, pl.Int32).alias("kind"),
        pl.col("life").cast(pl.Int8),
    )
    lines = pl.concat([before, *pieces]).sort("slot", "order", "kind", maintain_order=True)
    lines = lines.with_columns(_begins(lines).cast(pl.UInt32).alias("generation"))
    lines = lines.with_columns(pl.col("generation").cum_sum().over("slot"))
    later = lines.filter(pl.col("generation") > 0).select("slot", "generation").unique(maintain_order=True)
    later = later.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("new") + count)
    lines = lines.join(later, on=["slot", "generation"], how="left").with_columns(
        pl.coalesce("new", "slot").alias("final")
    )
    rows = dict(rows)
    for number, kind in enumerate(kinds):
        placed = lines.filter(pl.col("kind") == number)
        if len(placed):
            rows[kind] = rows[kind].clone().scatter(placed["row"].cast(pl.UInt32), placed["final"])
    superseded = _false(count + len(later))
    if len(later):
        newest = later.group_by("slot").agg(pl.col("generation").max().alias("newest"))
        older = later.join(newest, on="slot").filter(pl.col("generation") < pl.col("newest"))["new"]
        superseded = superseded.scatter(pl.concat([newest["slot"], older]), True)
    return Assignment(
        count + len(later),
        rows,
        pl.concat([slot_key, take(slot_key, later["slot"])]),
        carried,
        superseded,
    )


def trail_id(
    host: str | None, instance: str | None, queue_id: str | None, micros: int | None, more: str = ""
) -> str:
    """The name of a message in one MTA: the same for the same lines, however often they are read.

    ``micros``: its first instant, microseconds since 1970 (UTC); ``more``: what tells apart what has no id.
    """
    words = "\0".join((host or "", instance or "", queue_id or "", str(micros)))
    return hashlib.blake2b((words + more).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def trail_ids(messages: pl.DataFrame) -> pl.Series:
    """Names of messages, given their host, instance, queue_id and first_time."""
    micros = messages["first_time"].dt.epoch("us")
    rows = zip(messages["host"], messages["instance"], messages["queue_id"], micros, strict=True)
    return pl.Series("trail_id", [trail_id(*row) for row in rows], dtype=pl.String)
