"""Pieces of files become rows of lines, in an executor.

A piece is a file, or a part of a plain one.  Its lines are timed in their order, as ``sequence/stream.py``
does; what they mean is not looked at here: lines are small, what is known of them is not.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from mailscope.cluster.places import opened
from mailscope.cluster.rows import LINE_TYPES, as_arrow
from mailscope.cluster.setup import Setup, cleaning
from mailscope.intake.clock import Clock
from mailscope.intake.continued import end_of_records, whole_records
from mailscope.intake.envelopes.header import quality_words
from mailscope.intake.lines import Lines, parse_lines
from mailscope.intake.reader import ReadReport, Source, read_chunks
from mailscope.sequence.stream import never_back
from mailscope.vocabulary.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK_BYTES: Final = 4 << 20
# Before a part of a file, so much is read for what its lines need to know of those before.
BEFORE_BYTES: Final = 64 << 10


@dataclass(frozen=True)
class Piece:
    """What one task reads.

    ``start`` and ``end``: bytes of the file's text (None: to its end), ``lines``: how many lines are before
    them; ``part``: whether it is a part of a plain file, which can be read from its middle.
    """

    number: int
    source: Source
    rank: int
    clock: Clock
    start: int = 0
    end: int | None = None
    lines: int = 0
    part: bool = False


@dataclass
class Reading:
    """What reading a piece came to: JSON in the last of its rows."""

    piece: int
    lines: int = 0
    text_bytes: int = 0
    blank: int = 0
    first: int | None = None
    last: int | None = None
    years: int = 0
    problems: list[list[str]] = field(default_factory=list)

    def row(self) -> pl.DataFrame:
        """As a row of LINES."""
        told = {"piece": self.piece, "note": json.dumps(vars(self))}
        return pl.DataFrame([told], schema=LINE_TYPES)


def reader(setup: Setup) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """What a task does with its pieces, which come pickled in the column ``pieces``."""

    def read(batches: Iterator[Any]) -> Iterator[Any]:
        clean = cleaning(setup)
        for batch in batches:
            shares = (pickle.loads(data.as_py()) for data in batch.column("pieces"))
            for piece in chain.from_iterable(shares):
                for rows in lines(piece, clean):
                    yield from as_arrow(rows).to_batches()

    return read


def lines(piece: Piece, clean: Callable[[bytes], bytes]) -> Iterator[pl.DataFrame]:
    """The lines of a piece, chunk after chunk, and at the end what reading it came to."""
    told, report = Reading(piece.number), ReadReport()
    try:
        with opened(piece.source) as source:
            yield from _timed(piece, map(clean, _texts(piece, source, report, told)), told)
    except InputError as error:
        report.problems.append(error)
    told.problems = [[error.what, error.where, error.what_to_do] for error in report.problems]
    yield told.row()


def _texts(piece: Piece, source: Source, report: ReadReport, told: Reading) -> Iterator[bytes]:
    """The text of a piece in chunks of whole lines."""
    chunks = _part(piece, source) if piece.part else _whole(piece, source, report)
    for data in chunks:
        told.text_bytes += len(data)
        yield data


def _whole(piece: Piece, source: Source, report: ReadReport) -> Iterator[bytes]:
    """A file, without what was read of it before."""
    for chunk in whole_records(read_chunks(source, CHUNK_BYTES, None, report)):
        if chunk.offset >= piece.start:
            yield chunk.data
        elif chunk.offset + len(chunk.data) > piece.start:
            yield chunk.data[piece.start - chunk.offset :]


def _part(piece: Piece, source: Source) -> Iterator[bytes]:
    """A part of a plain file: the lines that begin in it."""
    try:
        with open(source.path, "rb") as file:
            at = piece.start
            if at:
                file.seek(at - 1)
                at += len(file.readline()) - 1
            kept = b""
            while piece.end is None or at < piece.end:
                data = file.read(CHUNK_BYTES if piece.end is None else min(CHUNK_BYTES, piece.end - at))
                at += len(data)
                if piece.end is not None and at >= piece.end and not data.endswith(b"\n"):
                    # The line that begins here and ends in the next part.
                    data += file.readline()
                if not data:
                    break
                kept += data
                whole = end_of_records(kept[: kept.rfind(b"\n") + 1])
                if whole:
                    yield kept[:whole]
                    kept = kept[whole:]
            if kept:
                yield kept
    except OSError as error:
        raise InputError.from_os_error(error, piece.source.name) from error


def _timed(piece: Piece, texts: Iterator[bytes], told: Reading) -> Iterator[pl.DataFrame]:
    """Rows of lines, in order.  Blank lines are counted with a line that stands near them."""
    clock = replace(piece.clock)
    latest = _before(piece, clock)
    waiting: pl.DataFrame | None = None
    blank = 0
    for data in texts:
        rows, latest, found = rows_of(piece, data, clock, latest, told.lines)
        if clock.disproved:
            # All of it is read again, so nothing more need be.
            told.years = clock.disproved
            return
        blank += found.blank
        told.blank += found.blank
        told.lines += found.total
        if not len(rows):
            continue
        if waiting is not None:
            yield waiting
        waiting, blank = _with_blank(rows, blank), 0
        told.first = told.first if told.first is not None else rows["key"][0]
        told.last = rows["key"][-1]
    if waiting is not None:
        yield _with_blank(waiting, blank)


def rows_of(
    piece: Piece, data: bytes, clock: Clock, latest: datetime | None, before: int
) -> tuple[pl.DataFrame, datetime | None, Lines]:
    """The lines of a chunk as rows; the latest instant so far; the lines as they were taken apart.

    ``before``: how many of the piece stood before the chunk.
    """
    found = parse_lines(data)
    time, quality = clock.instants(found.header)
    key, latest = never_back(time, latest)
    return _rows(piece, found, time, quality, key, before), latest, found


def _rows(
    piece: Piece, found: Lines, time: pl.Series, quality: pl.Series | int, key: pl.Series, before: int
) -> pl.DataFrame:
    """The lines of a chunk; ``before``: how many of the piece stood before it."""
    place = found.number
    if place is None:
        place = pl.int_range(len(found.raw), dtype=pl.UInt32, eager=True)
    host = found.header.host
    log = piece.source.set_id or piece.source.name
    return pl.select(
        pl.lit(piece.number, pl.Int32).alias("piece"),
        # As trails tell hosts apart: lines without one are of the log's own.
        pl.lit(host, pl.String).fill_null(log).alias("place"),
        pl.lit(piece.source.name).alias("source"),
        pl.lit(piece.rank, pl.Int32).alias("rank"),
        (place.cast(pl.Int64) + piece.lines + before + 1).alias("number"),
        time.dt.epoch("us").alias("time"),
        quality_words(quality).alias("quality"),
        key.dt.epoch("us").alias("key"),
        found.raw.alias("raw"),
        pl.lit(0, pl.Int32).alias("blank"),
        pl.lit(None, pl.String).alias("note"),
    )


def _with_blank(rows: pl.DataFrame, blank: int) -> pl.DataFrame:
    if not blank:
        return rows
    first = pl.int_range(len(rows), eager=True) == 0
    return rows.with_columns((pl.col("blank") + pl.lit(first).cast(pl.Int32) * blank).alias("blank"))


def _before(piece: Piece, clock: Clock) -> datetime | None:
    """Let the clock see the lines before a part of a file; gives the latest instant of them."""
    if not (piece.part and piece.start):
        return None
    begin = max(0, piece.start - BEFORE_BYTES)
    try:
        with open(piece.source.path, "rb") as file:
            file.seek(begin)
            data = file.read(piece.start - begin)
    except OSError as error:
        raise InputError.from_os_error(error, piece.source.name) from error
    if begin:
        data = data.partition(b"\n")[2]
    data = data[: data.rfind(b"\n") + 1]
    # What the clock knows of the file's first line says nothing about its middle.
    clock.last = clock.month = None
    if not data:
        return None
    time, _ = clock.instants(parse_lines(data).header)
    return never_back(time, None)[1]
