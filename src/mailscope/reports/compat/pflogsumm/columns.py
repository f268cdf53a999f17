"""Small steps on columns that all readers of lines need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import polars as pl


def mapped(column: pl.Series, function: Callable[[str], str | None]) -> pl.Series:
    """A column of texts, each distinct one put through a function once; null stays null."""
    distinct = column.drop_nulls().unique().to_list()
    if not distinct:
        return column.cast(pl.String)
    texts = [function(text) for text in distinct]
    return column.replace_strict(distinct, texts, default=None, return_dtype=pl.String)


def owned(column: str) -> pl.Expr:
    """A column of texts with memory of its own, so that the chunk it was cut from can go."""
    return pl.concat_str(column, pl.lit("")).alias(column)


def counted(frame: pl.DataFrame, *keys: str) -> Counter[tuple[str, ...]]:
    """How often each combination of texts occurs; null counts as nothing written."""
    groups = frame.select(*keys).group_by(*keys).len()
    counts: Counter[tuple[str, ...]] = Counter()
    for *key, count in groups.iter_rows():
        counts[tuple(part or "" for part in key)] += count
    return counts
