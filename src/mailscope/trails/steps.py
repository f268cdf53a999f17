"""The events that a message's story is made of, pulled out of recognised lines, with their key.

A key stands for (host, queue id): one 64-bit number, because correlating on one integer is measured
to be more than twice as fast as on two strings.  For programs other than Postfix it includes the
program's tag, as their message numbers are unique only within one queue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

import polars as pl

from mailscope.recognise.engine import DTYPES
from mailscope.recognise.events import Events
from mailscope.vocabulary.columns import constant, take
from mailscope.vocabulary.fields import BY_NAME

# Event -> the fields that the story takes from it.
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "accepted": (
        "client_host", "client_ip", "sasl_user", "sasl_method", "uid", "sender", "orig_queue_id",
        "orig_client_host", "orig_client_ip", "size_bytes", "recipient_count", "message_id",
    ),
    "identified": ("message_id",),
    "queued": ("sender", "size_bytes", "recipient_count", "qp", "uid"),
    "delivery_started": ("delivery_id", "recipient", "transport", "queue"),
    "delivery_attempted": (
        "recipient", "recipients", "orig_recipient", "relay_host", "relay_ip", "relay_port", "delay_s",
        "delay_before_queue_s", "delay_in_queue_s", "delay_connect_s", "delay_transmit_s", "dsn_status",
        "status", "reason", "delivery_id", "queue",
    ),
    "rested": (),
    "removed": (),
    "deleted": (),
    "expired": ("status",),
    "held": (),
    "released": (),
    "requeued": (),
    "discarded": ("stage", "reason"),
    "rejected": ("stage", "reason"),
    "bounced_to_sender": ("next_queue_id", "qp", "reason"),
}  # fmt: skip


# Which of program, service and instance the story takes from a kind of line; with and without detail.
TAGGED: Final[Mapping[str, tuple[str, ...]]] = {
    "accepted": ("service", "instance", "program"),
    "identified": ("service", "instance", "program"),
    "queued": ("service", "instance", "program"),
    "rejected": ("service", "instance", "program"),
    "discarded": ("service", "instance", "program"),
    "bounced_to_sender": ("service",),
}
TAGGED_LIGHT: Final[Mapping[str, tuple[str, ...]]] = {
    "accepted": ("service", "program"),
    "rejected": ("service",),
    "bounced_to_sender": ("service",),
}
# Fields that only a person who looks at one message wants; counting does without them.
DETAIL: Final = frozenset(
    {"message_id", "orig_recipient", "relay_ip", "relay_port", "sasl_method", "uid",
     "orig_client_host", "orig_client_ip", "qp"}
)  # fmt: skip


# One address of a list: in brackets, quoted, or up to the next comma.
ADDRESS: Final = r'<[^<>]*>|"[^"]*"|[^,<>" ][^,]*'


@dataclass(frozen=True)
class Steps:
    """One frame per kind of event: ``order``, ``time``, ``key``, ``queue_id``, host and the fields."""

    frames: dict[str, pl.DataFrame]
    # The latest of the last lines of each kind; None where no line tells.
    last_time: object

    def __getitem__(self, kind: str) -> pl.DataFrame:
        return self.frames[kind]


def steps(batch: list[Events], *, detail: bool) -> Steps:
    """The steps of a batch, in order; without ``detail`` only with what counting needs."""
    frames = {
        kind: _merge([_frame(events, kind, columns, detail) for events in batch])
        for kind, columns in FIELDS.items()
    }
    # Of lines that count only: a chunk may reach far beyond the span that is merged just now.
    times = [frame["time"][-1] for frame in frames.values() if len(frame)]
    return Steps(frames, max((time for time in times if time is not None), default=None))


def empty_steps() -> Steps:
    """The steps of no lines at all, as counting needs them."""
    frames = {}
    for kind, fields in FIELDS.items():
        columns = tuple(name for name in fields if name not in DETAIL)
        frames[kind] = _no_rows(kind, columns, TAGGED_LIGHT.get(kind, ()))
    return Steps(frames, None)


def _merge(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """The frames of several chunks, in order."""
    filled = [frame for frame in frames if len(frame)]
    if len(filled) < 2:
        return filled[0] if filled else frames[0]
    together = pl.concat(filled, how="diagonal")
    consecutive = all(one["order"][-1] <= two["order"][0] for one, two in pairwise(filled))
    return together if consecutive else together.sort("order", maintain_order=True)


def _frame(events: Events, kind: str, columns: tuple[str, ...], detail: bool) -> pl.DataFrame:
    if not detail:
        columns = tuple(name for name in columns if name not in DETAIL)
    frame = events.table([kind], columns)
    tagged = (TAGGED if detail else TAGGED_LIGHT).get(kind, ())
    if not len(frame):
        return _no_rows(kind, columns, tagged)
    numbered = kind in ("delivery_started", "delivery_attempted")
    if not numbered and frame["queue_id"].null_count():
        frame = frame.filter(pl.col("queue_id").is_not_null())
    rows = frame["row"]
    place = _place(events, rows)
    extra = [(frame["queue_id"].hash() ^ place).alias("key"), events.hosts(rows)]
    if numbered and frame["delivery_id"].null_count() < len(frame):
        # qmail names a delivery by number alone when it ends; the number is a key of its own.
        extra.append((frame["delivery_id"].hash(7) ^ place ^ _queue(frame)).alias("delivery_key"))
    extra.extend(events.tagged(name, rows).alias(name) for name in tagged)
    frame = frame.drop("queue", strict=False).hstack(extra)
    return _each_recipient(frame) if kind == "delivery_attempted" else frame


def _queue(frame: pl.DataFrame) -> pl.Series:
    """What tells deliveries of equal number in several queues of one host apart (IndiMail); 0 without."""
    return (
        frame["queue"]
        .hash(3)
        .zip_with(frame["queue"].is_not_null(), pl.repeat(0, len(frame), dtype=pl.UInt64, eager=True))
    )


def _each_recipient(frame: pl.DataFrame) -> pl.DataFrame:
    """One row for each recipient of a line that tells of several; without the column ``recipients``."""
    several = frame["recipients"]
    if several.null_count() < len(several):
        each = pl.coalesce(
            pl.col("recipients").str.extract_all(ADDRESS), pl.concat_list(pl.col("recipient"))
        ).list.eval(pl.element().str.strip_chars("<> "))
        frame = frame.with_columns(each.alias("recipient")).explode("recipient")
    return frame.drop("recipients")


@lru_cache(maxsize=64)
def _no_rows(kind: str, columns: tuple[str, ...], tagged: tuple[str, ...]) -> pl.DataFrame:
    """No steps of a kind; most kinds are missing from most chunks."""
    schema: dict[str, pl.DataType | type[pl.DataType]] = {"row": pl.UInt32, "queue_id": pl.String}
    schema |= {name: DTYPES[BY_NAME[name].kind] for name in columns}
    schema.pop("recipients", None)
    schema.pop("queue", None)
    schema |= {"time": pl.Datetime("us"), "order": pl.UInt32, "key": pl.UInt64, "host": pl.String}
    return pl.DataFrame(schema=schema | dict.fromkeys(tagged, pl.String))


def _place(events: Events, rows: pl.Series) -> pl.Series:
    """What tells queues apart: the host (or, without one, the log), and the program's salt."""
    log = events.set_id or events.source
    if isinstance(events.host, pl.Series):
        host = take(events.host, rows).fill_null(log).hash(1)
    else:
        name = events.host if events.host is not None else log
        host = constant(name, 1, pl.String).hash(1).new_from_index(0, len(rows))
    return host ^ events.tagged("salt", rows).cast(pl.UInt64)


def key_of(queue_id: pl.Series, place: pl.Series) -> pl.Series:
    """Keys of other queue ids (``queued as``) at the same places as given rows."""
    return queue_id.hash() ^ place
