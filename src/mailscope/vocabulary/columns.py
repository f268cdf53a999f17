"""Small operations on columns that go straight to the data.

Most methods of a Polars Series are run as expressions, which costs tens of microseconds whatever the
size; a chunk needs hundreds of them.  The first two do not.
"""

from __future__ import annotations

import polars as pl


def take(column: pl.Series, rows: pl.Series) -> pl.Series:
    """The values of some rows (unsigned positions, none of them null)."""
    taken = column[rows]
    assert isinstance(taken, pl.Series)
    return taken


def constant(value: object, length: int, dtype: pl.DataType | type[pl.DataType], name: str = "") -> pl.Series:
    """A column that holds one value (None: nulls) in every row."""
    return pl.Series(name, [value], dtype=dtype).new_from_index(0, length)


def own(frame: pl.DataFrame) -> pl.DataFrame:
    """The same frame with its texts copied out of the chunk that they were cut from.

    Polars' texts are views of shared buffers: a few rows that are kept would keep all of a chunk's text
    in memory.  Joining a text with an empty one makes a new one; casts and rechunking do not.
    """
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    if not texts or not len(frame):
        return frame
    return frame.with_columns(pl.concat_str([pl.col(name), pl.lit("")]).alias(name) for name in texts)
