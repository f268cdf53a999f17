"""Lines that stand for several: ``message repeated 3 times: [ connect from unknown[192.0.2.66]]``.

rsyslog writes them in the place, and under the tag, of a program's line that came again
($RepeatedMsgReduction). Such a line is read as what it stands for: its text is that of the line within, and
its events are there as often as it says.  It stays one line; that the first copy was written as usual is no
part of it.

Left as they are, and told as ``lines_lost``: a line within that no pattern knows, or that names a queue id (a
message's own lines are not alike, and what repeated ones would mean is not known); what was cut off; more
copies than ``MOST_TIMES``, or than ``MOST_EVENTS`` in one chunk, so that no log can fill the memory.

Source: rsyslog's runtime/ratelimit.c: the number is that of the copies left out, at least 2; of the message
(with the space before it) 800 bytes are kept.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import polars as pl

from mailscope.recognise.recognised import Part, Recognised
from mailscope.vocabulary.columns import take

BEGINNING: Final = "message repeated "
FORM: Final = r"^message repeated (?P<times>[0-9]{1,9}) times: \[ (?P<within>.*)\]$"
WHOLE_BYTES: Final = 799
MOST_TIMES: Final = 10_000
MOST_EVENTS: Final = 1_000_000
LINES_LOST: Final = "lines_lost"


def repeated(text: pl.Series) -> pl.DataFrame | None:
    """The lines of a chunk that stand for several (``row``, ``times``, ``within``); None if there is none."""
    begins = text.str.starts_with(BEGINNING)
    if not begins.any():
        return None
    rows = begins.fill_null(False).arg_true().alias("row")
    found = take(text, rows).str.extract_groups(FORM).struct.unnest().insert_column(0, rows)
    found = found.with_columns(pl.col("times").cast(pl.Int64)).filter(
        pl.col("times").is_between(1, MOST_TIMES) & (pl.col("within").str.len_bytes() < WHOLE_BYTES)
    )
    found = found.filter(pl.col("times").cum_sum() <= MOST_EVENTS)
    return found if len(found) else None


def unfolded(whole: Recognised, within: Recognised, found: pl.DataFrame) -> Recognised:
    """A chunk in which lines that stand for several are read as those.

    In: the chunk as it was recognised; what the lines of ``found`` hold, recognised under the same tags.
    """
    parts = [
        Part(part.pattern, part.service, frame)
        for part in within.parts
        if part.pattern.event != LINES_LOST
        and len(frame := part.frame.filter(pl.col("queue_id").is_null())) > 0
    ]
    if not parts:
        return whole
    known = pl.concat([part.frame["row"] for part in parts])
    rows = take(found["row"], known)
    others = [
        Part(part.pattern, part.service, part.frame.filter(~pl.col("row").is_in(rows.implode())))
        if part.pattern.event == LINES_LOST
        else part
        for part in whole.parts
    ]
    # A program that logs through another one is only known from the line within.
    codes = take(within.tag_code, known).cast(pl.UInt32) + len(whole.tags)
    return replace(
        whole,
        parts=[part for part in others if len(part.frame)] + [_copied(part, found) for part in parts],
        unrecognised=whole.unrecognised.filter(~whole.unrecognised.is_in(rows.implode())),
        tag_code=whole.tag_code.clone().scatter(rows, codes),
        tags=pl.concat([whole.tags, within.tags]),
        text=whole.text.clone().scatter(rows, take(within.text, known)),
        told=whole.told.clone().scatter(rows, take(within.told, known)),
        proper=whole.proper.clone().scatter(rows, take(within.proper, known)),
    )


def _copied(part: Part, found: pl.DataFrame) -> Part:
    """A part of lines within, each as often as it was left out, in the place of the line that tells it."""
    at = part.frame["row"]
    frame = part.frame.with_columns(take(found["row"], at).alias("row"))
    places = pl.int_range(len(frame), dtype=pl.UInt32, eager=True)
    rows = places.repeat_by(take(found["times"], at)).explode()
    return Part(part.pattern, part.service, frame[rows], copied=True)
