"""Events as documents of the Elastic Common Schema, one JSON object a line.

``names.py`` says what each field is called, ``categories.py`` where each event belongs.  An address that is
none (``unknown``) would make Elasticsearch refuse the document: it goes to ``source.address``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from mailscope.exports import names, severities
from mailscope.exports.categories import CATEGORIES, OF_STATUS
from mailscope.exports.choice import Choice
from mailscope.exports.escapes import json_safe
from mailscope.exports.json_text import nested
from mailscope.exports.rows import RAW, frames
from mailscope.recognise.events import Events
from mailscope.recognise.replies import ATTEMPT

VERSION: Final = "8.11.0"
MODULE: Final = "mailscope"
ALWAYS: Final = ("time", "host", "program", "event", "text")
ADDRESSES: Final = ("source.ip", "client.ip", "destination.ip", "server.ip")
IP: Final = r"^(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)$"
# What tells a line apart from all others, for the id of its document.
IDENTITY: Final = ("time", "host", "source", "line_number", RAW)


def documents(batch: list[Events], choice: Choice) -> pl.Series:
    """One document per event, in order."""
    return identified(batch, choice, identity=False)["line"]


def identified(batch: list[Events], choice: Choice, *, identity: bool = True) -> pl.DataFrame:
    """Documents (``line``) with what tells their lines apart."""
    extras, always = ((RAW,), (*ALWAYS, *IDENTITY)) if identity else ((), ALWAYS)
    kept = [name for name in IDENTITY if identity]
    schema = {"order": pl.UInt32, "line": pl.String} | {
        name: pl.Int64 if name == "line_number" else pl.String for name in kept
    }
    encoded = [pl.DataFrame(schema=schema)]
    for frame in frames(batch, choice, extras=extras, always=always):
        asked = frame.drop("order", RAW, strict=False)
        if choice.fields:
            asked = asked.select(name for name in asked.columns if name in (*ALWAYS, *choice.fields))
        document = nested(asked, _paths(asked)).alias("line")
        beside = [
            (pl.col(name) if name in frame.columns else pl.lit(None)).cast(schema[name]).alias(name)
            for name in kept
        ]
        encoded.append(frame.select(pl.col("order").cast(pl.UInt32), document, *beside))
    rows = pl.concat(encoded).sort("order")
    return rows.with_columns(json_safe(rows["line"]))


def _paths(frame: pl.DataFrame) -> Iterator[tuple[str, pl.Expr]]:
    """The members of a document, from the fields that the lines of one format hold."""
    taken = set()
    for name in frame.columns:
        path = names.ecs(name)
        # Two of our fields may share a name; where a line has both, the second keeps its own.
        path = f"{names.OWN}.{name}" if path in taken else path
        taken.add(path)
        if path in ADDRESSES:
            yield path, pl.when(pl.col(name).str.contains(IP)).then(pl.col(name))
            if path != "destination.ip":  # whose address is the relay's name
                other = pl.when(~pl.col(name).str.contains(IP)).then(pl.col(name))
                yield path.replace(".ip", ".address"), other
        elif name == "uid":
            yield path, pl.col(name).cast(pl.String)
        else:
            yield path, pl.col(name)
    if "severity" in frame.columns:
        yield "log.level", pl.col("severity")
        yield "log.syslog.severity.code", severities.numbers("severity", severities.SYSLOG)
    if "facility" in frame.columns:
        yield "log.syslog.facility.code", severities.numbers("facility", severities.FACILITY)
    yield from _categories(frame)
    yield "ecs.version", pl.lit(VERSION)


def _categories(frame: pl.DataFrame) -> Iterator[tuple[str, pl.Expr]]:
    event = frame["event"][0]
    category = CATEGORIES[event]
    yield "event.kind", pl.lit(category.kind)
    yield "event.module", pl.lit(MODULE)
    yield "event.dataset", pl.lit(f"{MODULE}.events")
    if category.category:
        yield "event.category", pl.lit(pl.Series([list(category.category)])).first()
        yield "event.type", pl.lit(pl.Series([list(category.type)])).first()
    if category.outcome:
        yield "event.outcome", pl.lit(category.outcome)
    elif event == ATTEMPT and "status" in frame.columns:
        outcome = pl.col("status").replace_strict(OF_STATUS, default="failure", return_dtype=pl.String)
        yield "event.outcome", pl.when(pl.col("status").is_not_null()).then(outcome)
