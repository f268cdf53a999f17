"""Lines as they come, from Kafka or a socket, by the same flow: each micro-batch of Spark is a run.

A micro-batch that was stored is not stored again: the store keeps the number of the last one of a stream, in
the transaction of its lines.  So with Kafka, whose lines can be read again, every line is stored once
whatever dies; what a socket had sent to a job that died is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from mailscope.cluster import committing
from mailscope.cluster.committing import Begun
from mailscope.cluster.job import Job, Loaded
from mailscope.cluster.pieces import Known
from mailscope.cluster.reading import Piece, rows_of
from mailscope.cluster.rows import LINES, as_arrow
from mailscope.cluster.setup import Setup, cleaning
from mailscope.cluster.taking import Lines, take
from mailscope.intake.clock import Clock
from mailscope.intake.reader import Source
from mailscope.intake.sources import utc_now

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming.query import StreamingQuery

KAFKA, SOCKET = "kafka", "socket"
# What a stream is called among the files that were read.
STREAM: Final = "stream:"


@dataclass(frozen=True)
class Stream:
    """Where lines come from: a ``kind`` of source, with Spark's options for it; ``name``: of the stream."""

    name: str
    kind: str
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Its name among the files that were read."""
        return STREAM + self.name


def start(
    job: Job, stream: Stream, checkpoint: str, every_s: float | None, told: Callable[[Loaded], None]
) -> StreamingQuery:
    """Begin to store what comes; ``every_s``: how often (None: once, all that is there now)."""
    lines = _lines(job, stream)

    def store(rows: DataFrame, number: int) -> None:
        told(committing.tried(job.output, lambda begun: run(job, begun, stream, rows, number)))

    writer = lines.writeStream.foreachBatch(store).option("checkpointLocation", checkpoint)
    if every_s is None:
        return writer.trigger(availableNow=True).start()
    return writer.trigger(processingTime=f"{every_s} seconds").start()


def _lines(job: Job, stream: Stream) -> DataFrame:
    """The lines of a stream: ``log`` (which they are of), ``number`` and ``raw``."""
    from pyspark.sql import functions as sf

    reader = job.spark.readStream.format(stream.kind).options(**dict(stream.options))
    if stream.kind == KAFKA:
        log = sf.concat(sf.lit(f"kafka:{stream.name}/"), sf.col("topic"), sf.lit("/"), sf.col("partition"))
        return reader.load().select(
            log.alias("log"), sf.col("offset").alias("number"), sf.col("value").cast("binary").alias("raw")
        )
    return reader.load().select(
        sf.lit(f"socket:{stream.name}").alias("log"),
        sf.lit(None).cast("long").alias("number"),
        sf.col("value").cast("binary").alias("raw"),
    )


def run(job: Job, begun: Begun, stream: Stream, rows: DataFrame, number: int) -> Loaded:
    """Store one micro-batch, unless it is stored.  Raises ConflictError where another job came before."""
    from pyspark import StorageLevel

    known = next((each for each in begun.known if each.path == stream.path), None)
    if known is not None and number < known.size:
        return Loaded(known=1)
    setup = replace(job.setup, run=begun.run)
    before = known.lines if known is not None else 0
    lines = rows.mapInArrow(timer(setup, before), LINES).persist(StorageLevel.DISK_ONLY)
    try:
        count = lines.filter("place is not null").count()
        loaded = Loaded(files=1, lines=count)
        if not count:
            return loaded
        logs = [row.source for row in lines.select("source").distinct().collect() if row.source]
        taken = take(job.spark, setup, begun, Lines(lines, {log: log for log in logs}), job.bin_bytes)
        taken.read = [Known(stream.path, "", number + 1, before + count, 0)]
        committing.commit(job.output, taken, setup.timezone)
        loaded.places, loaded.links = len(taken.places), taken.links
        return loaded
    finally:
        lines.unpersist()


def timer(setup: Setup, before: int) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """What a task does with lines of a stream: LINES, timed as those of a log that ends now."""

    def time(batches: Iterator[Any]) -> Iterator[Any]:
        clean = cleaning(setup)
        clocks: dict[str, tuple[Piece, Clock, Any, int]] = {}
        for batch in batches:
            frame = pl.from_arrow(batch)
            assert isinstance(frame, pl.DataFrame)
            for (log,), part in frame.partition_by("log", as_dict=True, maintain_order=True).items():
                piece, clock, latest, count = clocks.get(str(log)) or _begin(str(log), setup.timezone, before)
                # A value may hold a line feed, or none: each is a line.
                texts = [bytes(raw or b"").rstrip(b"\n").replace(b"\n", b" ") for raw in part["raw"]]
                data = clean(b"".join(text + b"\n" for text in texts))
                found, latest, lines = rows_of(piece, data, clock, latest, count)
                clocks[str(log)] = piece, clock, latest, count + lines.total
                if part["number"].null_count() == 0 and len(found):
                    at = found["number"] - (piece.lines + count + 1)
                    found = found.with_columns(part["number"].gather(at).alias("number"))
                yield from as_arrow(found).to_batches()

    return time


def _begin(log: str, zone: ZoneInfo, before: int) -> tuple[Piece, Clock, Any, int]:
    source = Source(log, log, log, 0, None, None, "none")
    clock = Clock(log, zone, utc_now().replace(tzinfo=UTC))
    return Piece(0, source, 0, clock, lines=before), clock, None, 0
