"""Which lines one task follows: a bin is the lines of some small hosts, or of some time of a large one.

So no task has more than it can hold, however uneven hosts are.  Places (hosts, or the logs of lines that
name none) with little are put together; one with much is cut in time, and ``chaining.py`` finds what is under
way at each cut.  That is dear: for the sake of even tasks, only those are cut that are far larger.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import polars as pl

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

HOUR: Final = 3_600_000_000
MINUTE: Final = 60_000_000
# Text of one bin: following it takes some ten times as much memory.
MOST_BYTES: Final = 48 << 20
# Bins are smaller where that many are needed to keep all executors busy, but not smaller than these.
A_CORE: Final = 3
LEAST_BYTES: Final = 2 << 20
# A place is cut where it is so many times as large as a bin that keeps all executors busy.
UNEVEN: Final = 2
# Numbers that are tried for each bin.
TRIED: Final = 64


@dataclass(frozen=True)
class Bins:
    """``first``: the first bin of each place; ``cuts``: the keys at which its next ones begin."""

    first: Mapping[str, int] = field(default_factory=dict)
    cuts: Mapping[str, list[int]] = field(default_factory=dict)
    count: int = 1

    @property
    def parted(self) -> list[str]:
        """The places that have several bins."""
        return sorted(self.cuts)

    def last(self, place: str) -> int:
        """The last bin of a place."""
        return self.first[place] + len(self.cuts.get(place, ()))

    def binned(self, spark: SparkSession, lines: DataFrame) -> DataFrame:
        """Lines with the number of their ``bin``."""
        from pyspark.sql import functions as sf

        rows = [(place, first, self.cuts.get(place, [])) for place, first in self.first.items()]
        known = spark.createDataFrame(rows, "place string, first int, cuts array<long>")
        before = sf.size(sf.filter("cuts", lambda cut: cut <= sf.col("key")))
        return (
            lines.join(sf.broadcast(known), "place")
            .withColumn("bin", (sf.col("first") + before).cast("int"))
            .drop("first", "cuts")
        )

    def slots(self, spark: SparkSession) -> Column:
        """For the column ``bin``: a number that has a partition of its own among ``count``, by Spark's hash.

        Bins' own numbers fall on partitions as it happens: one has three of them, and others none.
        """
        from pyspark.sql import functions as sf

        partition = sf.pmod(sf.hash(sf.col("id").cast("int")), sf.lit(self.count))
        tried = (
            spark.range(self.count * TRIED)
            .groupBy(partition.alias("partition"))
            .agg(sf.min("id").alias("id"))
        )
        found = {row["partition"]: row["id"] for row in tried.collect()}
        slots = [found.get(number, self.count * TRIED + number) for number in range(self.count)]
        return sf.get(sf.array(*map(sf.lit, slots)), sf.col("bin")).cast("int")


def bins(lines: DataFrame, cores: int, most_bytes: int = MOST_BYTES) -> Bins:
    """Bins for some lines."""
    by_hour = volumes(lines, HOUR)
    total = int(by_hour["bytes"].sum())
    share = max(min(most_bytes, total // (A_CORE * max(cores, 1))), min(LEAST_BYTES, most_bytes))
    large = by_hour.group_by("place").agg(pl.col("bytes").max()).filter(pl.col("bytes") > share // 2)
    parts = [by_hour.filter(~pl.col("place").is_in(large["place"].implode()))]
    if len(large):
        # Within an hour there is too much, or nearly: such places are looked at by the minute.
        parts.append(volumes(lines.filter(lines.place.isin(large["place"].to_list())), MINUTE))
    return planned(pl.concat(parts), share, min(most_bytes, UNEVEN * share))


def volumes(lines: DataFrame, width: int) -> pl.DataFrame:
    """How much text each place has in each span of time: ``place``, ``since`` and ``bytes``."""
    from pyspark.sql import functions as sf

    since = (sf.floor(sf.col("key") / width) * width).alias("since")
    size = sf.sum(sf.length("raw") + 1).alias("bytes")
    found: Any = lines.filter("place is not null").groupBy("place", since).agg(size)
    frame = pl.from_arrow(found.toArrow())
    assert isinstance(frame, pl.DataFrame)
    return frame.with_columns(pl.col("since").cast(pl.Int64)).sort("place", "since")


def planned(volumes: pl.DataFrame, share: int, most: int) -> Bins:
    """Bins of about ``share`` bytes, none of more than ``most`` as far as spans of time can be cut.

    They are the same for the same volumes.
    """
    first: dict[str, int] = {}
    cuts: dict[str, list[int]] = {}
    number, filled = 0, 0
    sizes = (
        volumes.group_by("place").agg(pl.col("bytes").sum()).sort("bytes", "place", descending=[True, False])
    )
    spans = volumes.partition_by("place", as_dict=True)
    for place, size in sizes.iter_rows():
        if size > most:
            cuts[place] = list(_cuts(spans[(place,)], share))
            first[place] = number
            number += len(cuts[place]) + 1
            if not cuts[place]:
                del cuts[place]
            continue
        if filled and filled + size > share:
            number, filled = number + 1, 0
        first[place] = number
        filled += size
    return Bins(first, cuts, max(1, number + (1 if filled else 0)))


def _cuts(spans: pl.DataFrame, most: int) -> Iterator[int]:
    """Where a place is cut: as evenly as its spans allow."""
    total = int(spans["bytes"].sum())
    share = total / -(-total // most)
    filled = 0
    for since, size in spans.select("since", "bytes").iter_rows():
        if filled and filled + size / 2 > share:
            yield since
            filled = 0
        filled += size
