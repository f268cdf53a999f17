"""Events as a Parquet file: one row an event, row groups written as they come.

The schema is that of the vocabulary, whatever the log holds: names, types, and in each column's metadata its
meaning and privacy class.  Text is as it was logged.
"""

from __future__ import annotations

from typing import BinaryIO, Final

import polars as pl
import pyarrow as pa
from pyarrow import parquet

from mailscope import __version__
from mailscope.vocabulary.fields import BY_NAME

ROWS: Final = 40_000
TYPES: Final = {
    "str": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "time": pa.timestamp("us", tz="UTC"),
}


def schema(columns: tuple[str, ...]) -> pa.Schema:
    """The schema of a file with some fields."""
    fields = [
        pa.field(
            name,
            TYPES[BY_NAME[name].kind],
            metadata={"meaning": BY_NAME[name].meaning, "privacy": BY_NAME[name].privacy},
        )
        for name in columns
    ]
    return pa.schema(fields, metadata={"created_by": f"mailscope {__version__}"})


class Parquet:
    """Writes row groups of at least ``ROWS`` events; smaller frames are collected until there are as many.

    Each group is a table with all columns of the vocabulary, which bounds how many rows may be in it.
    """

    def __init__(self, out: BinaryIO, columns: tuple[str, ...]) -> None:
        self._schema = schema(columns)
        self._writer = parquet.ParquetWriter(out, self._schema, compression="zstd")
        self._waiting: list[pl.DataFrame] = []

    def put(self, rows: pl.DataFrame) -> None:
        """Take some events."""
        self._waiting.append(rows)
        if sum(map(len, self._waiting)) >= ROWS:
            self._write()

    def close(self) -> None:
        """Write what waits, and the footer."""
        self._write()
        self._writer.close()

    def _write(self) -> None:
        if not self._waiting:
            return
        rows = pl.concat(self._waiting, how="diagonal").to_arrow()
        self._waiting.clear()
        held = set(rows.column_names)
        columns = [
            rows.column(field.name).cast(field.type)
            if field.name in held
            else pa.nulls(len(rows), field.type)
            for field in self._schema
        ]
        table = pa.Table.from_arrays(columns, schema=self._schema)
        self._writer.write_table(table, row_group_size=len(table))
