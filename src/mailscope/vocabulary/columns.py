"""Small operations on columns that go straight to the data.

Most methods of a Polars Series are run as expressions, which costs tens of microseconds whatever the
size; a chunk needs hundreds of them.  These two do not.
"""

from __future__ import annotations

import polars as pl


def take(column: pl.Series, rows: pl.Series) -> pl.Series:
    """The values of some rows (unsigned positions, none of them null)."""
    taken = column[rows]
    assert isinstance(taken, pl.Series)
    return taken


def constant(
    value: object, length: int, dtype: pl.DataType | type[pl.DataType], name: str = ""
) -> pl.Series:
    """A column that holds one value (None: nulls) in every row."""
    return pl.Series(name, [value], dtype=dtype).new_from_index(0, length)
