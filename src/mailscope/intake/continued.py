"""Lines that splogger cut, because they were longer than its buffer, are read as one.

    Apr 16 10:22:45 mx qmail: 1018966965.100348 delivery 7: deferral: Connected_to_...
    Apr 16 10:22:45 mx qmail: 1018966965.100348+_but_connection_died./

The first record has a space after splogger's stamp, its continuations the same stamp and a plus sign
(splogger.c of qmail: 800 bytes at a time).  Other programs' records may stand between them.

In: a chunk's lines.  Out: the first record's text is that of the whole line; a continuation stays a line
of its own, recognised as such, so that the count of lines is that of the log.  ``whole_records`` keeps the
records of one line in one chunk.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import polars as pl

from mailscope.intake.envelopes.header import Header
from mailscope.intake.reader import Chunk

# Only a record that fills splogger's buffer can have a continuation; releases differ by a few bytes.
FULL_BYTES: Final = 700
FULL: Final = re.compile(rb"([0-9]{9,11}\.[0-9]{6})[ +][^\n]{%d,}\n" % FULL_BYTES)
# How far behind a record its continuation is looked for across the border of a chunk.
REACH_BYTES: Final = 64 << 10
STAMP_AT_END: Final = r"(?:^|[^0-9])[0-9]{9,11}\.[0-9]{6,9}$"


def join(raw: pl.Series, header: Header) -> pl.Series:
    """The texts of lines, those of cut lines whole; ``raw`` are the lines as logged."""
    text, time = header.text, header.time
    if time is None or not (plus := text.str.starts_with("+")).any():
        return text
    rows = plus.arg_true()
    # A text may begin with a plus of its own: of a continuation, the stamp stands right before it.
    before = pl.lit(raw.gather(rows)).str.head(
        (pl.lit(raw.gather(rows)).str.len_chars() - pl.lit(text.gather(rows)).str.len_chars()).cast(pl.Int64)
    )
    stamped = pl.select(before.str.contains(STAMP_AT_END)).to_series()
    rows = rows.filter(stamped & time.gather(rows).is_not_null())
    if not len(rows):
        return text
    host = header.host if isinstance(header.host, pl.Series) else pl.Series([header.host], dtype=pl.String)
    keys = ("host", "tag", "time")
    records = (
        pl.DataFrame({"tag": header.tag, "time": time, "text": text})
        .with_columns(host=host if len(host) == len(text) else pl.lit(host[0], pl.String))
        .with_row_index("row")
        .with_columns(continues=pl.Series([False]).new_from_index(0, len(text)).scatter(rows, True))
        .filter(pl.col("time").is_in(time.gather(rows).unique().to_list()))
        .with_columns(record=(~pl.col("continues")).cum_sum().over(*keys))
        # A continuation whose beginning is not in the log stays what it is.
        .filter(pl.col("record") > 0)
        .with_columns(part=pl.when("continues").then(pl.col("text").str.slice(1)).otherwise("text"))
    )
    joined = (
        records.group_by(*keys, "record", maintain_order=True)
        .agg(pl.col("row").first(), pl.col("part").str.join(""), pl.col("continues").any())
        .filter("continues")
    )
    return text.clone().scatter(joined["row"], joined["part"])


def whole_records(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """The chunks with their borders moved, so that no record is parted from what may continue it."""
    kept = b""
    for chunk in chunks:
        data, offset = kept + chunk.data if kept else chunk.data, chunk.offset - len(kept)
        end = len(data) if chunk.last else end_of_records(data)
        kept = data[end:]
        if end:
            yield Chunk(data[:end] if kept else data, offset, chunk.last)
    if kept:
        yield Chunk(kept, offset, last=True)


def end_of_records(data: bytes) -> int:
    """Where a chunk must end so that no record at its end is parted from what may continue it."""
    end = len(data)
    if not data.endswith(b"\n"):
        return end
    begin = data.rfind(b"\n", 0, max(end - REACH_BYTES, 0)) + 1
    for found in FULL.finditer(data, begin):
        stamp = found[1]
        if data.find(stamp + b"+", found.end()) < 0:
            first = data.find(stamp + b" ", begin)
            at = first if first >= 0 else found.start()
            end = min(end, data.rfind(b"\n", 0, at) + 1)
    return end


def rest_of(data: bytes, begin: int, line: bytes) -> Iterator[tuple[int, bytes]]:
    """Where in ``data`` the continuations of the line that begins at ``begin`` stand, with those lines."""
    found = FULL.search(line + b"\n")
    if found is None:
        return
    mark = found[1] + b"+"
    limit = begin + len(line) + REACH_BYTES
    at = data.find(mark, begin + len(line), limit)
    while at >= 0:
        start = data.rfind(b"\n", 0, at) + 1
        stop = data.find(b"\n", at)
        stop = len(data) if stop < 0 else stop
        yield start, data[start:stop]
        at = data.find(mark, stop, limit)
