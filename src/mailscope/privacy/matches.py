"""Rewriting parts of texts, a column at a time.

Polars replaces what a regex matches by a fixed text only.  Here the matches are set apart by a mark, every
distinct one is looked at once in Python, and the pieces are put together again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

from mailscope.vocabulary.columns import take

# A character that no text may hold (Unicode: noncharacters); one that does loses it.
MARK: Final = "\U0010ffff"
REPLACEMENT: Final = "\ufffd"
# What could be a name within free text.
WORD: Final = r"[0-9A-Za-z_+\x{80}-\x{10fffd}]+(?:[.-][0-9A-Za-z_+\x{80}-\x{10fffd}]+)*"


def mapped(column: pl.Series, function: Callable[[str], str]) -> pl.Series:
    """A function of each value, asked once for each distinct one; null stays null."""
    distinct = column.drop_nulls().unique()
    new = pl.Series([function(value) for value in distinct], dtype=pl.String)
    return column.replace_strict(distinct, new, default=None, return_dtype=pl.String)


def rewritten(column: pl.Series, regex: str, function: Callable[[str], str]) -> pl.Series:
    """Texts with everything that the regex matches replaced by a function of it."""
    rows = column.str.contains(regex).fill_null(False).arg_true()
    if not len(rows):
        return column
    pieces = _pieces(take(column, rows), regex)
    odd = pieces["odd"].arg_true()
    texts = pieces["piece"].clone().scatter(odd, mapped(take(pieces["piece"], odd), function))
    return column.clone().scatter(rows, _joined(pieces, texts))


def reworded(column: pl.Series, names: pl.DataFrame) -> pl.Series:
    """Texts with some words replaced; ``names``: ``row`` (place in the column), ``old`` and ``new``."""
    names = names.filter(pl.col("old").is_not_null() & (pl.col("old") != pl.col("new")))
    if not len(names):
        return column
    within = take(column, names["row"]).to_frame("text").with_columns(names["old"])
    held = within.select(
        pl.col("text").str.contains(pl.col("old"), literal=True).fill_null(False)
    ).to_series()
    names = names.filter(held).unique(["row", "old"], keep="first", maintain_order=True)
    if not len(names):
        return column
    rows = names["row"].unique().sort()
    place = pl.DataFrame({"row": rows, "at": pl.int_range(len(rows), dtype=pl.UInt32, eager=True)})
    pieces = _pieces(take(column, rows), WORD)
    found = pieces.join(
        names.join(place, on="row").select("at", pl.col("old").alias("piece"), "new"),
        on=["at", "piece"],
        how="left",
        maintain_order="left",
    )
    texts = pl.select(
        pl.when(found["odd"]).then(pl.coalesce(found["new"], found["piece"])).otherwise(found["piece"])
    ).to_series()
    return column.clone().scatter(rows, _joined(pieces, texts))


def _pieces(texts: pl.Series, regex: str) -> pl.DataFrame:
    """Texts cut where matches begin and end: ``at`` (which text), ``piece``, ``odd`` (a match)."""
    parts = (
        texts.str.replace_all(MARK, REPLACEMENT, literal=True)
        .str.replace_all(regex, f"{MARK}${{0}}{MARK}")
        .str.split(MARK)
    )
    frame = pl.DataFrame(
        {"at": pl.int_range(len(texts), dtype=pl.UInt32, eager=True), "piece": parts}
    ).with_columns(number=pl.int_ranges(0, pl.col("piece").list.len()))
    return frame.explode("piece", "number").select("at", "piece", odd=pl.col("number") % 2 == 1)


def _joined(pieces: pl.DataFrame, texts: pl.Series) -> pl.Series:
    """The pieces of each text in one."""
    frame = pl.DataFrame({"at": pieces["at"], "text": texts})
    return frame.group_by("at", maintain_order=True).agg(pl.col("text").str.join(""))["text"]
