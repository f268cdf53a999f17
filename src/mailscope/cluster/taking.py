"""Lines become rows, tallies and links, in the order of what depends on what.

lines --bins--> who follows what
  of large places: --digest (applyInArrow), chain (in order)--> states where they are cut
lines, states --follow (applyInArrow)--> segments, tallies, states, claims, messages
                               claims, messages --join--> links;  tallies of an hour --merge--> one
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from mailscope.cluster import bins, relays
from mailscope.cluster.chaining import chainer, digester
from mailscope.cluster.committing import Begun, Taken
from mailscope.cluster.following import TOLD, follower
from mailscope.cluster.merging import merger
from mailscope.cluster.rows import (
    CLAIMS,
    DIGESTS,
    HOUR,
    MESSAGES,
    RESULT_TYPES,
    RESULTS,
    SEGMENT,
    STATES,
    as_arrow,
)  # fmt: skip
from mailscope.cluster.setup import Setup
from mailscope.cluster.staging import instant
from mailscope.cluster.tracking import CLAIM
from mailscope.vocabulary.tables import LINKS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# Before any log, where no line of a run has an instant.
EPOCH: Final = datetime(1970, 1, 1)
# Kinds of results that stay on the executors.
LARGE: Final = (HOUR, CLAIMS, MESSAGES)


@dataclass(frozen=True)
class Lines:
    """Lines (LINES), the set of each source, and how many lines stand before a part of a file."""

    rows: DataFrame
    sets: Mapping[str, str]
    before: Mapping[int, int] = field(default_factory=dict)


def take(spark: SparkSession, setup: Setup, begun: Begun, lines: Lines, bin_bytes: int) -> Taken:
    """What some lines come to; nothing of it is in the store yet, but segments lie beside it."""
    from pyspark import StorageLevel
    from pyspark.sql import functions as sf

    rows = lines.rows.filter("place is not null")
    parts = bins.bins(rows, spark.sparkContext.defaultParallelism, bin_bytes)
    slot = parts.slots(spark)
    binned = parts.binned(spark, rows).withColumn("slot", slot)
    states = _states(spark, setup, begun, lines, parts, binned).withColumn("slot", slot)
    last = {place: parts.last(place) for place in parts.first}
    found = (
        binned.repartition(parts.count, "slot")
        .groupBy("slot")
        .cogroup(states.repartition(parts.count, "slot").groupBy("slot"))
        .applyInArrow(follower(setup, lines.sets, last, lines.before), RESULTS)
        .persist(StorageLevel.DISK_ONLY)
    )
    try:
        small = _collected(found.filter(~sf.col("kind").isin(*LARGE)))
        hours = _collected(
            found.filter(sf.col("kind") == HOUR)
            .repartition(_tasks(spark), "hour")
            .groupBy("hour")
            .applyInArrow(merger(setup.zone), RESULTS)
        )
        links = _links(spark, setup, begun, rows, found, max(_tasks(spark), parts.count))
    finally:
        found.unpersist()
    taken = Taken(begun, pl.concat([small, hours, links]), lines.sets, places=sorted(parts.first))
    taken.links = int(
        taken.results.filter((pl.col("kind") == SEGMENT) & (pl.col("name") == LINKS.name))["rows"].sum()
    )
    return taken


def _states(
    spark: SparkSession, setup: Setup, begun: Begun, lines: Lines, parts: bins.Bins, binned: DataFrame
) -> DataFrame:
    """What each bin is followed from: STATES."""
    from pyspark.sql import functions as sf

    kept = [
        (number, place, bytearray(begun.states[place]), None)
        for place, number in parts.first.items()
        if place in begun.states and place not in parts.cuts
    ]
    whole = spark.createDataFrame(kept, STATES)
    if not parts.parted:
        return whole
    theirs = {place: begun.states[place] for place in parts.parted if place in begun.states}
    chained = (
        binned.filter(sf.col("place").isin(parts.parted))
        .repartition(parts.count, "slot")
        .groupBy("slot")
        .applyInArrow(digester(setup, lines.sets, lines.before), DIGESTS)
        .repartition(len(parts.parted), "place")
        .sortWithinPartitions("place", "bin", "number")
        .mapInArrow(chainer(theirs), STATES)
    )
    return whole.unionByName(chained)


def _links(
    spark: SparkSession, setup: Setup, begun: Begun, rows: DataFrame, found: DataFrame, buckets: int
) -> pl.DataFrame:
    """Links from host to host (segments), and the deliveries that wait on."""
    from pyspark.sql import functions as sf

    def columns(kind: str, names: tuple[str, ...], sought: str, told: str) -> DataFrame:
        return found.filter(sf.col("kind") == kind).mapInArrow(
            relays.unpacker(names, sought, buckets), f"{told}, bucket int"
        )

    claims = columns(CLAIMS, CLAIM, "next_queue_id", relays.CLAIM_ROWS)
    told = f"{relays.TOLD_ROWS}, bucket int"
    messages = columns(MESSAGES, TOLD, "queue_id", relays.TOLD_ROWS)
    first, now = rows.agg(sf.min("time"), sf.max("key")).collect()[0]
    since = instant(first) or EPOCH
    waiting = [pl.read_ipc(io.BytesIO(data)) for data in begun.claims]
    if waiting:
        before = pl.concat(waiting)
        since = min(since, before["time"].min() or since)  # type: ignore[assignment]
        rows_before = _as_rows(spark, relays.bucketed(before, "next_queue_id", buckets))
        claims = claims.unionByName(rows_before)
    paths, hot = relays.stored(begun, since, buckets)
    if len(hot):
        messages = messages.unionByName(_as_rows(spark, hot))
    if paths:
        listed = spark.createDataFrame([(path,) for path in paths], "path string").repartition(len(paths))
        messages = messages.unionByName(listed.mapInArrow(relays.segment_reader(buckets), told))
    return _collected(
        claims.repartition(buckets, "bucket")
        .groupBy("bucket")
        .cogroup(messages.repartition(buckets, "bucket").groupBy("bucket"))
        .applyInArrow(relays.joiner(setup, int(now)), RESULTS)
    )


def _tasks(spark: SparkSession) -> int:
    """In how many tasks a little work is done."""
    return max(1, spark.sparkContext.defaultParallelism)


def _as_rows(spark: SparkSession, frame: pl.DataFrame) -> DataFrame:
    return spark.createDataFrame(as_arrow(frame))


def _collected(found: Any) -> pl.DataFrame:
    frame = pl.from_arrow(found.toArrow())
    assert isinstance(frame, pl.DataFrame)
    return frame.cast(RESULT_TYPES)  # type: ignore[arg-type]
