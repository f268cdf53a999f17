"""Events as GELF 1.1 messages, one JSON object a line.

Source: the GELF payload specification: ``version``, ``host`` and ``short_message`` are required and not
empty; ``timestamp`` is seconds since 1970 with fractions; ``level`` is a syslog severity; additional fields
begin with an underscore, are texts or numbers, and none is ``_id``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from mailscope.exports import names, severities
from mailscope.exports.choice import Choice
from mailscope.exports.escapes import json_safe
from mailscope.exports.json_text import objects
from mailscope.exports.rows import INSTANT_COLUMN, RAW, frames
from mailscope.recognise.events import Events

ALWAYS: Final = ("host", "event", "text", "severity")
TOLD_OTHERWISE: Final = frozenset({"order", "time", "host", "text", INSTANT_COLUMN, RAW})
# Where a line tells none; Graylog refuses a message with an empty one.
NO_HOST, NO_TEXT = "unknown", "-"


def messages(batch: list[Events], choice: Choice) -> pl.Series:
    """One message per event, in order.  ``full_message`` is the whole line, with its stamp and tag."""
    encoded = [
        frame.select("order", objects(frame.select(_members(frame))).alias("line"))
        for frame in frames(batch, choice, extras=(INSTANT_COLUMN, RAW), always=ALWAYS)
    ]
    if not encoded:
        return pl.Series("line", [], dtype=pl.String)
    return json_safe(pl.concat(encoded).sort("order")["line"])


def _members(frame: pl.DataFrame) -> Iterator[pl.Expr]:
    have = set(frame.columns)
    yield pl.lit("1.1").alias("version")
    yield _filled("host", NO_HOST, have).alias("host")
    yield _filled("text", NO_TEXT, have).alias("short_message")
    if RAW in have:
        yield pl.col(RAW).alias("full_message")
    if INSTANT_COLUMN in have:
        yield (pl.col(INSTANT_COLUMN).dt.epoch("us") / 1_000_000).round(6).alias("timestamp")
    kind = severities.OF_EVENT.get(frame["event"][0], "info")
    level = pl.lit(severities.SYSLOG[kind], pl.Int64)
    if "severity" in have:
        level = severities.numbers("severity", severities.SYSLOG).fill_null(level)
    yield level.alias("level")
    yield from (
        pl.col(name).alias("_severity" if name == "severity" else names.gelf(name))
        for name in frame.columns
        if name not in TOLD_OTHERWISE
    )


def _filled(name: str, otherwise: str, have: set[str]) -> pl.Expr:
    """A text that may be neither absent nor empty."""
    if name not in have:
        return pl.lit(otherwise)
    return (
        pl.when(pl.col(name).str.strip_chars() == "").then(None).otherwise(pl.col(name)).fill_null(otherwise)
    )
