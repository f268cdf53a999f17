"""Small steps on columns that all readers of lines need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

_LONGEST_LINE: Final = 1 << 30


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


def up_to_comma(text: pl.Series, mark: str, usual: str, otherwise: str) -> pl.Series:
    """What stands behind a mark, up to a comma or to the end.

    Texts of the ``usual`` form are cut by position; of others, that is taken which ``otherwise`` captures.
    """
    plain = text.str.contains(usual) & narrow(text)
    behind = text.str.slice(text.str.find(mark, literal=True) + len(mark))
    comma = behind.str.find(",", literal=True).fill_null(_LONGEST_LINE)
    found = pl.select(pl.when(plain).then(behind.str.slice(0, comma)).alias("found"))["found"]
    if plain.all():
        return found
    odd = (~plain).arg_true()
    return found.scatter(odd, text.gather(odd).str.extract(otherwise))
