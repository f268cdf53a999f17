"""The tables of the store in Spark SQL: rows that are not sealed, and those of sealed files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import polars as pl

from mailscope.store.database import Queries
from mailscope.vocabulary.errors import UsageError
from mailscope.vocabulary.fields import Kind
from mailscope.vocabulary.tables import TABLES, Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# Spark's names of our kinds.
KINDS: Final[dict[Kind, str]] = {
    "str": "string", "int": "bigint", "float": "double", "time": "timestamp_ntz", "bool": "boolean",
    "list": "array<string>",
}  # fmt: skip
ROWS_AT_ONCE: Final = 50_000


def answers(spark: SparkSession, looking: Queries, statement: str) -> Iterator[pl.DataFrame]:
    """The rows of a query, some at a time.  Raises UsageError for anything else."""
    from pyspark.errors import PySparkException

    for table in TABLES.values():
        view(spark, looking, table).createOrReplaceTempView(table.name)
    # Only what can stand in brackets is a query; and none of them reads files by their paths.
    spark.conf.set("spark.sql.runSQLOnFiles", "false")
    try:
        found = spark.sql(f"select * from (\n{statement.rstrip().rstrip(';')}\n)")
        rows = found.toArrow()
    except PySparkException as error:
        words = " ".join(str(error).partition("\n")[0].split())[:300]
        raise UsageError(
            f"Spark refuses it ({words})", "the statement", "see docs/store.md for tables"
        ) from error
    frame = pl.from_arrow(rows)
    assert isinstance(frame, pl.DataFrame)
    for start in range(0, max(len(frame), 1), ROWS_AT_ONCE):
        yield frame.slice(start, ROWS_AT_ONCE)


def view(spark: SparkSession, looking: Queries, table: Table) -> DataFrame:
    """All rows of a table.  Files that are missing or of another size are left out, as on one machine."""
    schema = ", ".join(f"`{column.name}` {KINDS[column.kind]}" for column in table.columns)
    columns = ", ".join(f'"{name}"' for name in table.names)
    hot = looking.frame(f"select {columns} from hot.{table.name}")
    out = io.BytesIO()
    hot.write_ipc(out, compat_level=pl.CompatLevel.oldest())
    import pyarrow as pa

    rows = spark.createDataFrame(pa.ipc.open_file(out).read_all(), schema) if len(hot) else None
    paths = looking.connection.execute(
        "select path, bytes from own.manifest where name = ? and damage is null order by path", [table.name]
    ).fetchall()
    listed = [str(looking.directory / path) for path, size in paths if looking.size(path) == size]
    # A schema that is told: files may be older than columns of the table.
    sealed = (
        spark.read.schema(schema).option("recursiveFileLookup", "true").parquet(*listed) if listed else None
    )
    if rows is None:
        return sealed if sealed is not None else spark.createDataFrame([], schema)
    return rows if sealed is None else rows.unionByName(sealed)
