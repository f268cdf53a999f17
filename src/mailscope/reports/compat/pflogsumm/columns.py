"""Small steps on columns that all readers of lines need."""

from __future__ import annotations

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


def counted(frame: pl.DataFrame, *keys: str) -> dict[tuple[str, ...], int]:
    """How often each combination of texts occurs; null counts as nothing written."""
    if not len(frame):
        return {}
    groups = frame.select(*keys).fill_null("").group_by(*keys).len()
    return {tuple(key): count for *key, count in groups.iter_rows()}


def narrow(column: pl.Series) -> pl.Series:
    """Where a text has no character but those of ASCII, so that places in it are counted alike everywhere."""
    return column.str.len_bytes() == column.str.len_chars()


def among(mask: pl.Series, text: pl.Series, expression: str, *, literal: bool = False) -> pl.Series:
    """Those rows of a mask whose text holds an expression; the texts of others are not looked at."""
    rows = mask.arg_true()
    if not len(rows):
        return mask
    # scatter changes the series that it is given.
    return mask.clone().scatter(rows, text.gather(rows).str.contains(expression, literal=literal))
