"""The lines of one place, taken apart and merged again, become batches of events as any log's do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import polars as pl

from mailscope.recognise.engine import Engine
from mailscope.recognise.events import Events
from mailscope.sequence.duplicates import mark_duplicates
from mailscope.store.stored import events_of

# Following costs much the same for a small batch as for one of some ten thousand lines.
LINES_A_BATCH: Final = 60_000


def in_order(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines (LINES) as ``sequence/merge.py`` merges their sources: by instant, then source, then line."""
    return lines.sort("key", "rank", "number")


def batches(lines: pl.DataFrame, engine: Engine, sets: Mapping[str, str]) -> Iterator[list[Events]]:
    """Lines in order as events, so many at a time; lines of one instant stay together.

    ``sets``: source -> what the files that its log was rotated into have in common.
    """
    at = 0
    key = lines["key"]
    while at < len(lines):
        end = min(at + LINES_A_BATCH, len(lines))
        if end < len(lines):
            end = int(key.search_sorted(key[end - 1], side="right"))
        yield _batch(lines.slice(at, end - at), engine, sets)
        at = end


def _batch(lines: pl.DataFrame, engine: Engine, sets: Mapping[str, str]) -> list[Events]:
    rows = lines.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("order"),
        pl.col("time").cast(pl.Datetime("us")),
        pl.col("quality").alias("time_quality"),
        "source",
        "rank",
        pl.col("number").alias("line_number"),
        "raw",
        "blank",
    )
    sources = rows.sort("rank", "order").partition_by("rank", maintain_order=True)
    pieces = [
        replace(
            events_of(part, engine, sets),
            order=None if len(sources) == 1 else part["order"],
            blank=int(part["blank"].sum()),
        )
        for part in sources
    ]
    return mark_duplicates(pieces)
