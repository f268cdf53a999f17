"""The way to a cluster: Spark's session, and whether its executors have what they need."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from mailscope import __version__
from mailscope.vocabulary.errors import MailscopeError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SETTINGS: Final[Mapping[str, str]] = {
    "spark.sql.session.timeZone": "UTC",
    # Partitions are ours: bins are as large as a task can hold, and small ones must not be put together.
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "50000",
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.ui.showConsoleProgress": "false",
    # A task has one core; Polars would start a thread for every core of the machine in each of them.
    "spark.executorEnv.POLARS_MAX_THREADS": "1",
}


@contextmanager
def session(
    master: str | None, name: str = "mailscope", settings: Mapping[str, str] | None = None
) -> Iterator[SparkSession]:
    """A session at a master (None: what Spark's own configuration or spark-submit says).

    Raises MailscopeError where PySpark is missing, or where an executor lacks this Mailscope.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise MailscopeError(
            "PySpark is not installed", "mailscope cluster", "install it: pip install 'mailscope[spark]'"
        ) from error
    # Executors on this machine have this Python; others are told by their own environment.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(name)
    if master is not None:
        builder = builder.master(master)
    for key, value in {**SETTINGS, **(settings or {})}.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    if "spark.sql.shuffle.partitions" not in (settings or {}):
        # What is not parted by bins is small.
        spark.conf.set("spark.sql.shuffle.partitions", str(2 * spark.sparkContext.defaultParallelism))
    try:
        _refuse_others(spark)
        yield spark
    finally:
        spark.stop()


def _refuse_others(spark: SparkSession) -> None:
    """Raise MailscopeError unless the executors run this version."""
    count = max(1, spark.sparkContext.defaultParallelism)
    found = set(spark.sparkContext.parallelize(range(count), count).map(_version).collect())
    if found != {__version__}:
        told = ", ".join(sorted(found))
        raise MailscopeError(
            f"executors have Mailscope {told}, and this is {__version__}",
            str(spark.sparkContext.master),
            "install the same version in the Python of every worker (PYSPARK_PYTHON)",
        )


def _version(_: int) -> str:
    try:
        from mailscope import __version__ as version
    except ImportError:
        return "none"
    return version
