"""Events under their own names: JSON lines, or a table for CSV and Parquet."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from mailscope.exports.choice import Choice
from mailscope.exports.escapes import csv_safe, json_safe
from mailscope.exports.json_text import objects
from mailscope.exports.rows import INSTANT_COLUMN, frames, joined
from mailscope.recognise.events import Events, null_column


def json_lines(batch: list[Events], choice: Choice) -> pl.Series:
    """One JSON object per event, absent fields left out, in order."""
    encoded = [
        frame.select("order", objects(frame.drop("order")).alias("line")) for frame in frames(batch, choice)
    ]
    if not encoded:
        return pl.Series("line", [], dtype=pl.String)
    return json_safe(pl.concat(encoded).sort("order")["line"])


def cells(batch: list[Events], choice: Choice, columns: tuple[str, ...]) -> Iterator[pl.DataFrame]:
    """The same events as frames with the given columns, text made safe for a spreadsheet."""
    for rows in joined(frames(batch, choice)):
        yield pl.DataFrame(
            [_cell(rows[name]) if name in rows.columns else null_column(name, len(rows)) for name in columns]
        )


def typed(batch: list[Events], choice: Choice, columns: tuple[str, ...]) -> Iterator[pl.DataFrame]:
    """The same events as they are: text as logged, ``time`` an instant.

    Of the given columns those that hold anything, in any order; a sink that knows them all adds the others.
    """
    extras = (INSTANT_COLUMN,) if "time" in columns else ()
    for rows in joined(frames(batch, choice, extras=extras)):
        told = rows.drop("time", strict=False)
        # The order stays: it tells how many rows there are where no column holds anything.
        yield told.rename({INSTANT_COLUMN: "time"}) if INSTANT_COLUMN in told.columns else told


def _cell(column: pl.Series) -> pl.Series:
    return csv_safe(column) if column.dtype == pl.String else column
