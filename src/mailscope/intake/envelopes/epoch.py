"""Seconds since 1970 with a fraction: splogger's and accustamp's stamp, then the bare text.

    1092664405.514548 tcpserver: status: 1/40
    1092664405.514548 host tag[pid]: text             journalctl -o short-unix

splogger writes it into syslog lines too, where it tells the instant better than syslog does, and marks
the continuation of a long line with ``+`` instead of the space (splogger.c of qmail).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.intake.envelopes.header import TIME, Header, all_or_mask, nulls

SNIFF: Final = r"^[0-9]{9,11}\.[0-9]{6,9}[ +]"
FORM: Final = r"^(?P<second>[0-9]{9,11})\.(?P<fraction>[0-9]{6,9})(?P<mark>[ +])(?P<text>.*)$"


# A host and a tag with its pid: splogger and accustamp write neither.
HOST_AND_TAG: Final = r"^([^ :+]+) ([^ :\[]+\[[0-9]+\]): (.*)$"


def parse(lines: pl.Series) -> Header:
    """Take lines apart; only the journal's have host and tag."""
    time, text = split(lines)
    ok = all_or_mask(text.is_not_null())
    text = text.fill_null("")
    journal = text.str.contains(HOST_AND_TAG)
    if not journal.any():
        return Header(host=None, tag=nulls(len(lines)), text=text, time=time, ok=ok)
    found = text.str.extract_groups(HOST_AND_TAG).struct.unnest()
    rest = pl.select(pl.when(journal).then(found["3"]).otherwise(text)).to_series()
    return Header(host=found["1"], tag=found["2"], text=rest, time=time, ok=ok)


def split(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """UTC time and text of stamped texts; null where a text has no stamp.

    A continuation keeps its ``+``, so that it cannot be taken for a line of its own.
    """
    found = texts.str.extract_groups(FORM).struct.unnest()
    micros = found.select(
        pl.col("second").cast(pl.Int64) * 1_000_000 + pl.col("fraction").str.head(6).cast(pl.Int64)
    ).to_series()
    text = found.select(
        pl.when(pl.col("mark") == "+").then(pl.lit("+") + pl.col("text")).otherwise(pl.col("text"))
    ).to_series()
    return micros.cast(TIME), text
