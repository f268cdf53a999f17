"""Events as OpenTelemetry log records, in the JSON encoding of OTLP.

Sources: OTLP 1.x (section "JSON Protobuf Encoding": lowerCamelCase names, 64-bit numbers as texts), the
logs data model (Timestamp, ObservedTimestamp, SeverityText, SeverityNumber, Body, Attributes, EventName)
and its mapping of RFC 5424: HOSTNAME is the resource's host.name, APP-NAME its service.name. A file holds
one ``ExportLogsServiceRequest`` (the same as ``LogsData``) a line, as collectors' file receivers read it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import polars as pl

from mailscope import __version__
from mailscope.exports import names, severities
from mailscope.exports.choice import Choice
from mailscope.exports.escapes import json_safe
from mailscope.exports.rows import INSTANT_COLUMN, frames
from mailscope.recognise.events import Events
from mailscope.vocabulary.fields import BY_NAME, Kind

ALWAYS: Final = ("host", "program", "event", "text", "severity")
TOLD_OTHERWISE: Final = frozenset({"order", "time", "host", "program", "text", "severity", INSTANT_COLUMN})
SCOPE: Final = f'{{"name":"mailscope","version":"{__version__}"}}'
SCHEMA: Final = {"order": pl.UInt32, "resource": pl.String, "line": pl.String}


def records(batch: list[Events], choice: Choice) -> pl.DataFrame:
    """One log record (``line``) per event with the attributes of its ``resource``, in order."""
    observed = time.time_ns()
    encoded = [pl.DataFrame(schema=SCHEMA)]
    for frame in frames(batch, choice, extras=(INSTANT_COLUMN,), always=ALWAYS):
        resource = _listed(_resource(frame))
        record = pl.concat_str([pl.lit("{"), _joined(_record(frame, observed)), pl.lit("}")])
        encoded.append(
            frame.select(pl.col("order").cast(pl.UInt32), resource.alias("resource"), record.alias("line"))
        )
    rows = pl.concat(encoded).sort("order").drop("order")
    return rows.with_columns(json_safe(rows["line"]), json_safe(rows["resource"]))


def request(rows: pl.DataFrame) -> str:
    """One request with some records, those of one resource together."""
    grouped = rows.group_by("resource", maintain_order=True).agg(pl.col("line").str.join(","))
    resources = grouped.select(
        pl.concat_str(
            [
                pl.lit('{"resource":{"attributes":'),
                pl.col("resource"),
                pl.lit(f'}},"scopeLogs":[{{"scope":{SCOPE},"logRecords":['),
                pl.col("line"),
                pl.lit("]}]}"),
            ]
        ).str.join(",")
    ).item()
    return f'{{"resourceLogs":[{resources}]}}'


def _resource(frame: pl.DataFrame) -> Iterator[pl.Expr]:
    """host.name and service.name; the conventions want a service name of every resource."""
    if "host" in frame.columns:
        yield _attribute("host.name", "host")
    unknown = pl.lit('{"key":"service.name","value":{"stringValue":"unknown_service"}}')
    yield (
        _attribute("service.name", "program").fill_null(unknown) if "program" in frame.columns else unknown
    )


def _record(frame: pl.DataFrame, observed: int) -> Iterator[pl.Expr]:
    """The members of a record; each is null where the line does not tell it."""
    have, event = set(frame.columns), frame["event"][0]
    if INSTANT_COLUMN in have:
        nanoseconds = pl.col(INSTANT_COLUMN).dt.epoch("ns").cast(pl.String)
        yield pl.concat_str([pl.lit('"timeUnixNano":"'), nanoseconds, pl.lit('"')])
    yield pl.lit(f'"observedTimeUnixNano":"{observed}"')
    if "severity" in have:
        number = severities.numbers("severity", severities.OTEL).cast(pl.String)
        yield pl.concat_str([pl.lit('"severityNumber":'), number])
        yield pl.concat_str([pl.lit('"severityText":"'), pl.col("severity"), pl.lit('"')])
    if "text" in have:
        yield pl.concat_str([pl.lit('"body":'), _value("text")])
    yield pl.concat_str([pl.lit('"attributes":'), _listed(_attributes(frame))])
    yield pl.lit(f'"eventName":"{names.OWN}.{event}"')


def _attributes(frame: pl.DataFrame) -> Iterator[pl.Expr]:
    taken = set()
    for name in frame.columns:
        if name in TOLD_OTHERWISE:
            continue
        # The event's name is an attribute too, for readers that do not know EventName yet.
        key = f"{names.OWN}.event" if name == "event" else names.otel(name)
        key = f"{names.OWN}.{name}" if key in taken else key
        taken.add(key)
        yield _attribute(key, name, "str" if name == "uid" else BY_NAME[name].kind)


def _attribute(key: str, column: str, kind: Kind = "str") -> pl.Expr:
    return pl.concat_str([pl.lit(f'{{"key":"{key}","value":'), _value(column, kind), pl.lit("}")])


def _value(column: str, kind: Kind = "str") -> pl.Expr:
    """An AnyValue; null where the column is."""
    text = pl.col(column).cast(pl.String)
    if kind == "float":
        return pl.concat_str([pl.lit('{"doubleValue":'), text, pl.lit("}")])
    if kind == "int":
        return pl.concat_str([pl.lit('{"intValue":"'), text, pl.lit('"}')])
    return pl.when(text.is_not_null()).then(pl.struct(text.alias("stringValue")).struct.json_encode())


def _joined(parts: Iterator[pl.Expr]) -> pl.Expr:
    return pl.concat_str(list(parts), separator=",", ignore_nulls=True)


def _listed(parts: Iterator[pl.Expr]) -> pl.Expr:
    return pl.concat_str([pl.lit("["), _joined(parts), pl.lit("]")])
