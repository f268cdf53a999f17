"""Stored lines become events again: the same as when they were read, with the instants found then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import polars as pl

from mailscope.intake.envelopes.header import EXACT, QUALITIES
from mailscope.intake.lines import parse_lines
from mailscope.recognise.engine import Engine
from mailscope.recognise.events import Events

# The columns that a line needs to become an event again.
COLUMNS: Final = ("batch", "time", "time_quality", "source", "line_number", "raw")


def relived(rows: pl.DataFrame, engine: Engine, sets: Mapping[str, str | None]) -> Iterator[list[Events]]:
    """Batches as they were stored, from rows of ``events`` (COLUMNS) in the order in which they were stored.

    ``sets``: source -> what all files that its log was rotated into have in common.
    """
    for batch in rows.partition_by("batch", maintain_order=True):
        sources = batch.with_row_index("place").partition_by("source", maintain_order=True)
        pieces = [events_of(part, engine, sets) for part in sources]
        if len(pieces) == 1:
            yield pieces
        else:
            # The order in which they were stored is that which was found when they came.
            yield [
                replace(events, order=part["place"].cast(pl.UInt32))
                for events, part in zip(pieces, sources, strict=True)
            ]


def events_of(rows: pl.DataFrame, engine: Engine, sets: Mapping[str, str | None]) -> Events:
    """The lines of one source, in order, as events."""
    lines = parse_lines("\n".join(rows["raw"].fill_null("")).encode() + b"\n")
    if len(lines.raw) != len(rows) or lines.number is not None:
        # A line that is two, or none, by itself: it was cut out of its neighbours then.
        found = lines.number if lines.number is not None else pl.int_range(len(lines.raw), eager=True)
        rows = rows[found.cast(pl.UInt32)]
    header = lines.header
    words = {word: code for code, word in enumerate(QUALITIES) if code != EXACT}
    quality = rows["time_quality"].replace_strict(words, default=EXACT, return_dtype=pl.Int8)
    recognised = engine.recognise(header.tag, header.text)
    return Events(
        source=rows["source"][0],
        raw=lines.raw,
        text=recognised.text,
        time=rows["time"],
        quality=quality,
        host=header.host,
        pri=header.pri,
        number=rows["line_number"].cast(pl.UInt64),
        recognised=recognised,
        set_id=sets.get(rows["source"][0]),
    )
