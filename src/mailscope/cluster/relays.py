"""From host to host: a join of deliveries that tell the next hop's queue id with the messages of other hosts.

Both are parted by that id, so that each task holds a share of them.  The rule is that of ``trails/hops.py``.
A delivery that finds no message is kept for later runs, as the other host's log may come later (``KEPT``).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl

from mailscope.cluster.committing import Begun
from mailscope.cluster.following import TOLD
from mailscope.cluster.rows import CLAIMS, as_arrow, results
from mailscope.cluster.setup import Setup, secret
from mailscope.cluster.staging import Staging
from mailscope.cluster.tracking import CLAIM
from mailscope.trails.hops import BEFORE, CLOCKS, WAIT, matched
from mailscope.vocabulary.bundles import packed
from mailscope.vocabulary.tables import LINKS

# How much later than a delivery the log of the host that took it may come.
KEPT: Final = timedelta(days=2)
# Messages that a delivery may have become began within so much of it.
AROUND: Final = BEFORE + CLOCKS + WAIT
# Spark's names of their columns.
CLAIM_ROWS: Final = ", ".join(f"{name} {'long' if name == 'time' else 'string'}" for name in CLAIM)
TIMES: Final = ("first_time", "last_time")
TOLD_ROWS: Final = ", ".join(f"{name} {'long' if name in TIMES else 'string'}" for name in TOLD)


def unpacker(columns: tuple[str, ...], bucket: str, buckets: int) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """What a task does with packed frames in the column ``data``: their rows, and the bucket of an id."""

    def unpack(batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            for data in batch.column("data"):
                frame = pl.read_ipc(io.BytesIO(data.as_py())).select(columns)
                yield from as_arrow(bucketed(frame, bucket, buckets)).to_batches()

    return unpack


def stored(begun: Begun, since: datetime, buckets: int) -> tuple[list[str], pl.DataFrame]:
    """The messages that the store has of some instant on: segments that hold any, and those that are hot."""
    earliest = since - AROUND
    paths = [path for path, last in begun.messages if last >= earliest]
    hot = begun.hot_messages.filter(pl.col("first_time") >= earliest)
    return paths, bucketed(hot, "queue_id", buckets)


def segment_reader(buckets: int) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """What a task does with segments of messages, by their ``path``: TOLD of each message, and its bucket."""

    def read(batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            for path in batch.column("path"):
                frame = pl.read_parquet(path.as_py(), columns=list(TOLD), hive_partitioning=False)
                yield from as_arrow(bucketed(frame, "queue_id", buckets)).to_batches()

    return read


def bucketed(frame: pl.DataFrame, name: str, buckets: int) -> pl.DataFrame:
    """Rows that have an id, instants as microseconds, with the ``bucket`` of the id."""
    frame = frame.filter(pl.col(name).is_not_null())
    times = [name for name, kind in frame.schema.items() if kind == pl.Datetime("us")]
    return frame.with_columns(
        *(pl.col(each).dt.epoch("us") for each in times),
        (pl.col(name).hash(5) % buckets).cast(pl.Int32).alias("bucket"),
    )


def joiner(setup: Setup, now: int) -> Callable[[Any, Any, Any], Any]:
    """What a task does with the deliveries and messages of a bucket; ``now``: the last instant of the run."""

    def join(key: Any, claims: Any, messages: Any) -> Any:
        told = _instants(pl.from_arrow(claims), ("time",))
        # What is closed comes once more than what was under way.
        there = _instants(pl.from_arrow(messages), TIMES).sort("last_time").unique("trail_id", keep="last")
        return as_arrow(joined(told, there, setup, now))

    return join


def joined(claims: pl.DataFrame, messages: pl.DataFrame, setup: Setup, now: int) -> pl.DataFrame:
    """The links of deliveries, written as segments, and those that wait on, as RESULTS."""
    last = pl.lit(now).cast(pl.Datetime("us"))
    ripe = claims.filter(pl.col("time") + WAIT < last).with_row_index("trail")
    ripe = ripe.with_columns(pl.col("trail").cast(pl.UInt64))
    there = messages.with_row_index("number").with_columns(
        (pl.col("number").cast(pl.UInt64)).alias("trail"), pl.lit(False).alias("endless")
    )
    links = matched(ripe, there)
    names_to = there.select(pl.col("trail").alias("trail_to"), pl.col("trail_id").alias("trail_id_to"))
    named = (
        links.join(ripe.select("trail", "trail_id"), on="trail")
        .join(names_to, on="trail_to")
        .select(name for name in LINKS.names if name != "batch")
    )
    staging = Staging(setup.staging, secret(setup), setup.run)
    staging.add(LINKS, named)
    rows = staging.close()
    found = ripe["trail"].is_in(links["trail"].implode())
    waiting = pl.concat(
        [
            ripe.filter(~found & (ripe["time"] + KEPT > pl.select(last).item())).select(CLAIM),
            claims.filter(pl.col("time") + WAIT >= last).select(CLAIM),
        ],
        how="vertical_relaxed",
    )
    if len(waiting):
        rows.append({"kind": CLAIMS, "data": packed(waiting)})
    return results(rows)


def _instants(frame: Any, names: tuple[str, ...]) -> pl.DataFrame:
    assert isinstance(frame, pl.DataFrame)
    told = frame.drop("bucket", strict=False)
    return told.with_columns(pl.col(name).cast(pl.Datetime("us")) for name in names)
