"""Rows of a query in the order of their instants, a piece at a time.

DuckDB's own sort holds rows whole: of a hundred wide columns, those of one file need more memory than the
store may take, unless they nearly are in order already.  Lines of many hosts that were loaded one after the
other are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from mailscope.store.connecting import another
from mailscope.vocabulary.tables import Table

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# Rows that are sorted at once; fewer where lines are long, more only where so many have one instant.
PIECE_ROWS: Final = 20_480
# Rows that are handed over at once.
BATCH_ROWS: Final = 2_048
# A line that is no longer is an ordinary row; a longer one counts as so many.
ORDINARY_BYTES: Final = 512
# What a row weighs that has no line.
ORDINARY: Final = "1"
NAME: Final = "in_order"


def weight(table: Table) -> str:
    """SQL for how many ordinary rows a row of a table is worth in memory."""
    return f"(1 + coalesce(strlen(raw), 0) // {ORDINARY_BYTES})" if "raw" in table.names else ORDINARY


@contextmanager
def in_order(connection: duckdb.DuckDBPyConnection, rows: str, table: Table) -> Iterator[str]:
    """The name under which a connection sees some rows of a table by instant, then batch; to be read once.

    ``rows``: what to select from; it is asked over another connection, which sees what is committed.
    """
    import pyarrow as pa

    with another(connection) as asking:
        schema = asking.sql(f"select * from {rows} limit 0").to_arrow_table().schema
        reader = pa.RecordBatchReader.from_batches(schema, _pieces(asking, rows, table))
        connection.register(NAME, reader)
        try:
            yield NAME
        finally:
            connection.unregister(NAME)


def _pieces(asking: duckdb.DuckDBPyConnection, rows: str, table: Table) -> Iterator[pa.RecordBatch]:
    time = table.time
    order = f"{time}, batch" if "batch" in table.names else time
    # The first instant of each piece but the first.
    cuts = asking.execute(
        f"select min({time}) from (select {time}, sum({weight(table)}) over (order by {time}) // "
        f"{PIECE_ROWS} as piece from {rows}) group by piece order by 1 offset 1"
    ).fetchall()
    for since, until in pairwise([None, *(cut for (cut,) in cuts), None]):
        told = [f"{time} >= timestamp '{since}'"] if since else []
        told += [f"{time} < timestamp '{until}'"] if until else []
        where = " and ".join(told) or "true"
        piece = asking.sql(f"select * from {rows} where {where} order by {order}")
        yield from piece.to_arrow_reader(BATCH_ROWS)
