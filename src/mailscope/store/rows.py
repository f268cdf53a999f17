"""A batch as rows of the tables.

The events of a batch have dozens of line formats with few columns each; a table wants one frame with all
columns.  Each column is made once, of the parts that have it (``exports/rows.py`` makes a frame per format
instead, which suits those who want to see few columns of few formats).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

import polars as pl

from mailscope.causes.events import ADDED, ATTEMPT, DIRECTIONS, TOLD_FROM, with_causes
from mailscope.intake import priority
from mailscope.intake.envelopes.header import quality_words
from mailscope.recognise.engine import DTYPES
from mailscope.recognise.events import Events, null_column
from mailscope.recognise.recognised import Part
from mailscope.recognise.replies import REPLY_FIELDS, completed, with_replies
from mailscope.store.following import StoreTracker
from mailscope.trails.tracker import Outcome
from mailscope.vocabulary.columns import constant
from mailscope.vocabulary.fields import BY_NAME
from mailscope.vocabulary.tables import DELIVERIES, EVENTS, LINKS, MESSAGES, SESSIONS

UNRECOGNISED: Final = "unrecognised"
FLAGS: Final = ("expired", "held", "refused", "deferred", "filtered")
# What causes and replies are told from.
TOLD: Final = tuple(dict.fromkeys((*TOLD_FROM, *REPLY_FIELDS)))
Pieces = dict[str, list[tuple[pl.Series, pl.Series]]]


def event_rows(batch: Iterable[Events], tracker: StoreTracker) -> pl.DataFrame:
    """The lines of a batch that count, in order, as rows of ``events`` (columns that hold anything)."""
    chunks = [_chunk(events) for events in batch]
    rows = pl.concat(chunks, how="diagonal") if len(chunks) > 1 else chunks[0]
    if len(chunks) > 1:
        rows = rows.sort("order", maintain_order=True)
    rows = _told(tracker.named(rows.join(tracker.places, on="order", how="left", maintain_order="left")))
    return rows.select(name for name in EVENTS.names if name in rows.columns)


def _chunk(events: Events) -> pl.DataFrame:
    """All lines of one chunk that count."""
    length = len(events.raw)
    pieces: Pieces = defaultdict(list)
    for part in events.parts:
        for column in _fields(part):
            pieces[column.name].append((part.frame["row"], column))
    tags = events.recognised.tags
    code = events.recognised.tag_code
    order = events.order
    if order is None:
        order = pl.int_range(length, dtype=pl.UInt32, eager=True)
    facility, severity = (None, None) if events.pri is None else priority.names(events.pri)
    core = pl.select(
        order.cast(pl.UInt32).alias("order"),
        events.time.alias("time"),
        quality_words(events.quality).alias("time_quality"),
        pl.lit(events.host, pl.String).alias("host"),
        *tags.select(pl.col("program").replace("", None), "instance", "pid").select(pl.all().gather(code)),
        pl.lit(facility, pl.String).alias("facility"),
        pl.lit(severity, pl.String).alias("severity"),
        events.text.alias("text"),
        pl.lit(events.source).alias("source"),
        events.number.cast(pl.Int64).alias("line_number"),
        events.raw.alias("raw"),
    )
    columns = [_scattered(name, found, length) for name, found in pieces.items() if name != "service"]
    service = tags["service"].gather(code)
    if "service" in pieces:
        implied = _scattered("service", pieces["service"], length)
        service = pl.select(pl.coalesce(service, implied)).to_series()
    frame = core.hstack([service.alias("service"), *columns])
    if "event" not in pieces:
        frame = frame.with_columns(pl.lit(UNRECOGNISED).alias("event"))
    else:
        frame = frame.with_columns(pl.col("event").fill_null(UNRECOGNISED))
    return frame if events.alive is None else frame.filter(events.alive)


def _fields(part: Part) -> Iterator[pl.Series]:
    """The columns that a pattern gives for its lines."""
    pattern, frame = part.pattern, part.frame
    fixed = {"event": pattern.event, "service": part.service, **pattern.constants}
    for name, value in fixed.items():
        if value is not None and name not in frame.columns:
            yield constant(value, len(frame), DTYPES[BY_NAME[name].kind], name)
    for column in frame.iter_columns():
        if column.name != "row" and column.null_count() < len(column):
            yield column


def _told(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with what the words of replies and refusals tell, all rows of a kind at once."""
    for kind in DIRECTIONS:
        places = (rows["event"] == kind).arg_true()
        if not len(places):
            continue
        mine = rows.select(pl.col(name).gather(places) for name in (*TOLD, *ADDED) if name in rows.columns)
        told = with_causes(kind, completed(kind, mine))
        for name in (*REPLY_FIELDS, *ADDED):
            if name not in told.columns or told[name].null_count() == len(told):
                continue
            before = rows[name] if name in rows.columns else null_column(name, len(rows))
            rows = rows.with_columns(before.scatter(places, told[name]).alias(name))
    return rows


def _scattered(name: str, found: list[tuple[pl.Series, pl.Series]], length: int) -> pl.Series:
    """One column of a chunk, from the parts of it that are known."""
    blank = null_column(name, length)
    rows = pl.concat([rows for rows, _ in found]) if len(found) > 1 else found[0][0]
    values = pl.concat([values for _, values in found]) if len(found) > 1 else found[0][1]
    return blank.scatter(rows, values)


def message_rows(outcome: Outcome, tracker: StoreTracker) -> pl.DataFrame:
    """Messages that a batch changed, as they are now; those whose fate became certain, as they stay."""
    # A link tells something of a message that need not have had a line.
    changed = pl.concat([tracker.touched["trail"], outcome.links["trail_to"]]).unique()
    closed = outcome.messages
    under_way = tracker.open.filter(pl.col("trail").is_in(changed.implode()))
    return pl.concat(
        [rows_of_messages(under_way, tracker, over=False), rows_of_messages(closed, tracker, over=True)]
    )


def rows_of_messages(messages: pl.DataFrame, tracker: StoreTracker, *, over: bool) -> pl.DataFrame:
    """Messages of a tracker as rows; ``over``: whether their fate is certain."""
    return (
        tracker.named(messages)
        .with_columns(*(pl.col(name).fill_null(False) for name in FLAGS), pl.lit(over).alias("closed"))
        .select(MESSAGES.names)
    )


def delivery_rows(outcome: Outcome, tracker: StoreTracker) -> pl.DataFrame:
    """The attempts of a batch."""
    if not len(outcome.deliveries):
        return pl.DataFrame()
    found = with_causes(ATTEMPT, with_replies(tracker.named(outcome.deliveries)))
    return found.select(name for name in DELIVERIES.names if name in found.columns)


def session_rows(tracker: StoreTracker) -> pl.DataFrame:
    """The sessions that ended in a batch."""
    found = tracker.ended_sessions.rename({"start": "start_time", "end": "end_time"})
    # A session of which no stamp is known belongs to no day.
    found = found.filter(pl.col("start_time").is_not_null())
    return found.select(name for name in SESSIONS.names if name in found.columns)


def link_rows(outcome: Outcome, tracker: StoreTracker) -> pl.DataFrame:
    """The links that a batch shows."""
    if not len(outcome.links):
        return pl.DataFrame()
    found = tracker.named(tracker.named(outcome.links), "trail_to", "trail_id_to")
    return found.select(name for name in LINKS.names if name in found.columns)
