"""Events as typed rows, one frame per line format.

In: batches of recognised lines.  Out: for every line that counts one row with the core fields and those
that its pattern gives; lines that no pattern knows are events too (``unrecognised``).  One batch at a
time, so memory does not grow with the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import polars as pl

from mailscope.causes.events import with_causes
from mailscope.exports.choice import CORE_COLUMNS, NOT_EXPORTED, Choice
from mailscope.intake import priority
from mailscope.intake.envelopes.header import quality_words
from mailscope.recognise.engine import DTYPES
from mailscope.recognise.events import Events
from mailscope.recognise.recognised import Part
from mailscope.recognise.replies import completed
from mailscope.vocabulary.fields import BY_NAME

INSTANT: Final = "%Y-%m-%dT%H:%M:%S%.6fZ"
UNRECOGNISED: Final = "unrecognised"
# Lines that are made one table at once.
TOGETHER: Final = 20_000
# What some forms need beside the fields: the time as such, and the whole line with its stamp and tag.
INSTANT_COLUMN, RAW = "instant", "raw"


def frames(
    batch: Iterable[Events], choice: Choice, *, extras: tuple[str, ...] = (), always: tuple[str, ...] = ()
) -> Iterator[pl.DataFrame]:
    """Rows of one line format after the other: ``order``, then the columns that hold anything.

    ``extras``: of ``instant`` and ``raw``, those that are wanted too.  ``always``: fields that are given
    even where a person asked for others only.
    """
    causes = choice.wants_causes
    for events in batch:
        core = _core(events, extras)
        for part in events.parts:
            if choice.wants_event(part.pattern.event):
                rows = _rows(core, part.pattern.event, part.service, _fields(part, causes=causes))
                yield from _chosen(rows, choice, extras, always)
        if choice.wants_event(UNRECOGNISED):
            rows = _rows(core, UNRECOGNISED, None, pl.DataFrame({"row": events.unrecognised}))
            yield from _chosen(rows, choice, extras, always)


def joined(parts: Iterable[pl.DataFrame], most: int = TOGETHER) -> Iterator[pl.DataFrame]:
    """Rows of several line formats as frames in the order of the lines, each of about ``most`` lines at most.

    A frame has the columns of all its formats, most of them empty in most rows, so that all of a batch at
    once would be many times as large as its text.
    """
    found = [part if part["order"].is_sorted() else part.sort("order", maintain_order=True) for part in parts]
    lines = max((int(part["order"][-1]) + 1 for part in found if len(part)), default=0)
    for start in range(0, lines, most):
        pieces = [_between(part, start, start + most) for part in found]
        held = [piece for piece in pieces if len(piece)]
        if held:
            yield pl.concat(held, how="diagonal").sort("order", maintain_order=True)


def _between(rows: pl.DataFrame, start: int, end: int) -> pl.DataFrame:
    """The rows of some lines, of rows in the order of lines."""
    order = rows["order"]
    first, after = (int(order.search_sorted(line, side="left")) for line in (start, end))
    return rows.slice(first, after - first)


def _core(events: Events, extras: tuple[str, ...]) -> pl.DataFrame:
    """The core columns of a whole chunk, made once for all its line formats."""
    tags = events.recognised.tags.select(pl.col("program").replace("", None), "service", "instance", "pid")
    facility, severity = (None, None) if events.pri is None else priority.names(events.pri)
    order = (
        pl.int_range(len(events.raw), dtype=pl.UInt32, eager=True) if events.order is None else events.order
    )
    more = {INSTANT_COLUMN: events.time, RAW: events.raw}
    return pl.select(
        order.alias("order"),
        events.time.dt.strftime(INSTANT).alias("time"),
        quality_words(events.quality).alias("time_quality"),
        pl.lit(events.host, pl.String).alias("host"),
        *tags.select(pl.all().gather(events.recognised.tag_code)),
        pl.lit(facility, pl.String).alias("facility"),
        pl.lit(severity, pl.String).alias("severity"),
        events.text.alias("text"),
        pl.lit(events.source).alias("source"),
        events.number.alias("line_number"),
        *(more[name].alias(name) for name in extras),
    )


def _fields(part: Part, *, causes: bool) -> pl.DataFrame:
    """What the pattern gives: captured fields, constants, and what the words of a reply tell."""
    constants = [
        pl.lit(value, dtype=DTYPES[BY_NAME[name].kind]).alias(name)
        for name, value in part.pattern.constants.items()
    ]
    frame = completed(part.pattern.event, part.frame.with_columns(constants)).drop(NOT_EXPORTED, strict=False)
    return with_causes(part.pattern.event, frame) if causes else frame


def _rows(core: pl.DataFrame, event: str, service: str | None, fields: pl.DataFrame) -> pl.DataFrame:
    """All columns of the rows of one line format."""
    frame = core.select(pl.all().gather(fields["row"]))
    extras = [name for name in (INSTANT_COLUMN, RAW) if name in frame.columns]
    frame = frame.with_columns(
        pl.lit(event).alias("event"), pl.coalesce("service", pl.lit(service, pl.String)).alias("service")
    ).select("order", *CORE_COLUMNS, *extras)
    return pl.concat([frame, fields.drop("row")], how="horizontal")


def _chosen(
    frame: pl.DataFrame, choice: Choice, extras: tuple[str, ...], always: tuple[str, ...]
) -> Iterator[pl.DataFrame]:
    """The rows and columns that were asked for, if there are any rows."""
    if choice.programs:
        frame = frame.filter(choice.wants_program())
    if not len(frame):
        return
    if choice.fields:
        names = tuple(dict.fromkeys((*always, *extras, *choice.fields)))
    else:
        names = tuple(frame.columns[1:])
    held = [name for name in names if name in frame.columns and frame[name].null_count() < len(frame)]
    yield frame.select("order", *held)
