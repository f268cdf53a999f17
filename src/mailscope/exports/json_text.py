"""Frames as JSON objects, a column at a time, with absent members left out.

In: a frame.  Out: one JSON object per row.  Names of columns are of letters, digits and ``_ . @``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl

# A column that is null in some rows only: its mark is taken out of those rows afterwards.  Inside a JSON
# string a quote is escaped, so that text cannot look like this.
NULL: Final = ',"[A-Za-z_0-9.@]+":null'
FIRST_NULL: Final = r'\{"[A-Za-z_0-9.@]+":null,?'
Tree = dict[str, "pl.Expr | Tree"]


def objects(frame: pl.DataFrame) -> pl.Series:
    """Rows as flat JSON objects without nulls."""
    if not frame.columns:
        return pl.Series("line", ["{}"]).new_from_index(0, len(frame))
    lines = frame.select(pl.struct(pl.all()).struct.json_encode().alias("line")).to_series()
    if any(frame[name].null_count() for name in frame.columns):
        lines = without_nulls(lines)
    return lines


def nested(frame: pl.DataFrame, paths: Iterable[tuple[str, pl.Expr]]) -> pl.Series:
    """Rows as JSON objects in objects.

    ``paths``: the dotted name of each member (``source.ip``) with its value.  A name is never the
    beginning of another one (``source`` beside ``source.ip``), and stands once.
    """
    values = frame.select(value.alias(path) for path, value in paths)
    lines = values.select(_struct(_tree(values.columns)).struct.json_encode().alias("line")).to_series()
    return without_nulls(lines) if any(values[name].null_count() for name in values.columns) else lines


def without_nulls(lines: pl.Series) -> pl.Series:
    """JSON objects with their null members taken out; no object in them may have nulls only."""
    return lines.str.replace_all(NULL, "").str.replace_all(FIRST_NULL, "{")


def _tree(paths: Iterable[str]) -> Tree:
    """Dotted names as folders in folders, in the order in which they first occur."""
    tree: Tree = {}
    for path in paths:
        *folders, leaf = path.split(".")
        at = tree
        for folder in folders:
            inner = at.setdefault(folder, {})
            assert isinstance(inner, dict), f"{folder} is a member and holds some"
            at = inner
        at[leaf] = pl.col(path)
    return tree


def _struct(tree: Tree) -> pl.Expr:
    """A struct of a tree's members; null where all of them are."""
    members = [
        (value if isinstance(value, pl.Expr) else _struct(value)).alias(name) for name, value in tree.items()
    ]
    return pl.when(pl.any_horizontal(member.is_not_null() for member in members)).then(pl.struct(members))
