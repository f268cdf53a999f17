"""Frames cut into pieces of bounded length, in rows and in bytes."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl


def slices(
    rows: pl.DataFrame, most_rows: int, most_bytes: int, column: str = "line"
) -> Iterator[pl.DataFrame]:
    """Cut a frame so that a column's texts are at most so many bytes a piece; a longer text goes alone."""
    ends = rows[column].str.len_bytes().cast(pl.Int64).cum_sum()
    start, before = 0, 0
    while start < len(rows):
        fitting = int(ends.search_sorted(before + most_bytes, side="right"))
        end = max(start + 1, min(fitting, start + most_rows, len(rows)))
        yield rows.slice(start, end - start)
        start, before = end, ends[end - 1]
