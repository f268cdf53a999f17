"""The same line met in several files (``mail.log`` and ``mail.err``) counts once.

Lines are the same when every byte is, stamp and host included.  A line that a file holds twice was
logged twice and counts twice: the n-th occurrence in one file is the same as the n-th in another.
Lines without a stamp of their own are never taken for duplicates.
"""

from __future__ import annotations

import polars as pl

from mailscope.intake.envelopes.header import UNKNOWN
from mailscope.recognise.events import Events


def mark_duplicates(pieces: list[Events]) -> list[Events]:
    """The pieces of one span of time with lines already seen in another file taken out.

    Pieces of one file must stand in their order, all pieces in that in which files come first.
    """
    if len(pieces) < 2:
        return pieces
    frames = [
        pl.DataFrame({"line": piece.raw.hash()})
        .with_row_index("row")
        .with_columns(pl.lit(number, pl.UInt32).alias("piece"), pl.lit(piece.source).alias("source"))
        .filter(comparable(piece))
        for number, piece in enumerate(pieces)
    ]
    lines = pl.concat(frames)
    # Few lines stand in two files; only lines that occur at least twice are looked at closely.
    lines = lines.filter(pl.col("line").is_duplicated())
    if not len(lines):
        return pieces
    lines = lines.with_columns(pl.col("row").cum_count().over("source", "line").alias("occurrence"))
    repeated = lines.filter(~pl.struct("line", "occurrence").is_first_distinct())
    out = []
    for number, piece in enumerate(pieces):
        rows = repeated.filter(pl.col("piece") == number)["row"]
        if len(rows):
            keep = pl.Series([True]).new_from_index(0, len(piece.raw)).scatter(rows, False)
            piece = piece.select(keep, duplicate=len(rows))
        out.append(piece)
    return out


def comparable(piece: Events) -> pl.Series:
    """Which lines may be compared: those that count and have a stamp of their own."""
    alive = piece.alive
    mask = alive if alive is not None else pl.Series([True]).new_from_index(0, len(piece.raw))
    if isinstance(piece.quality, pl.Series):
        return mask & (piece.quality != UNKNOWN)
    return mask if piece.quality != UNKNOWN else ~mask & mask
