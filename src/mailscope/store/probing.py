"""Whether a table of a DuckDB file can be read: its values, each of which is looked at, and its index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import duckdb

# So many keys are looked up in an index: those of the store are small, but for spellings.
KEYS: Final = 200


def read_values(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Read all values.  Raises duckdb.Error where some are damaged."""
    # Counting would not look at them.
    connection.execute(f"select bit_xor(hash(columns(*))) from {table}").fetchall()


def use_index(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Look up rows by the table's key, if it has one.  Raises duckdb.Error where the index is damaged."""
    found = connection.execute(
        "select constraint_column_names from duckdb_constraints() "
        "where constraint_type = 'PRIMARY KEY' and schema_name || '.' || table_name = ?",
        [table],
    ).fetchall()
    for (columns,) in found:
        keys = connection.execute(f"select {', '.join(columns)} from {table} using sample {KEYS}").fetchall()
        where = " and ".join(f"{column} = ?" for column in columns)
        for key in keys:
            connection.execute(f"select count(*) from {table} where {where}", list(key)).fetchall()
