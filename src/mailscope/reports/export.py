"""Events as rows: JSON lines, or a table for CSV.

In: batches of recognised lines.  Out: for every line that counts one row, in the order of the lines,
with the core fields and those that its pattern gives; lines that no pattern knows are events too
(``unrecognised``).  One batch at a time, so memory does not grow with the log.

The byte offset of a line is left out: bytes that are not UTF-8 have been replaced by then, so it could
not be told from the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from mailscope.intake import priority
from mailscope.intake.envelopes.header import EXACT, QUALITIES
from mailscope.recognise.engine import DTYPES, Part
from mailscope.recognise.events import Events
from mailscope.recognise.library import Library
from mailscope.recognise.replies import ATTEMPT, REPLY_FIELDS, completed
from mailscope.reports.escapes import csv_safe, json_safe
from mailscope.vocabulary.events import EVENTS
from mailscope.vocabulary.fields import BY_NAME, CORE, FIELDS

CORE_COLUMNS: Final = tuple(field.name for field in CORE if field.name != "offset")
INSTANT: Final = "%Y-%m-%dT%H:%M:%S%.6fZ"
# A column that is null in some rows only: its mark is taken out of those rows afterwards.  Inside a JSON
# string a quote is escaped, so that text cannot look like this.
NULL: Final = ',"[a-z_0-9]+":null'
FIRST_NULL: Final = r'^\{"[a-z_0-9]+":null,?'
UNRECOGNISED: Final = "unrecognised"


@dataclass(frozen=True)
class Choice:
    """Which events and fields a person asked for; an empty set or tuple means all.

    A program is asked for by its tag as logged, by its service, or by the beginning of its tag up to
    a slash (``postfix``).
    """

    events: frozenset[str] = frozenset()
    programs: frozenset[str] = frozenset()
    fields: tuple[str, ...] = ()

    def wants_event(self, event: str) -> bool:
        """Whether events of this kind are asked for."""
        return not self.events or event in self.events

    def wants_program(self) -> pl.Expr:
        """Whether a row's program is asked for."""
        names = list(self.programs)
        tag = pl.col("program")
        asked = tag.is_in(names) | tag.str.extract("^([^/]*)/").is_in(names) | pl.col("service").is_in(names)
        return asked.fill_null(False)

    def needed(self) -> dict[str, frozenset[str]] | None:
        """The fields that the engine must capture, by event; None for all."""
        if not self.events and not self.fields:
            return None
        names = frozenset(self.fields or BY_NAME)
        if names & set(REPLY_FIELDS):
            names |= {"reason"}
        return dict.fromkeys(self.events or EVENTS, names)

    def columns(self, library: Library) -> tuple[str, ...]:
        """The columns of a table: what was asked for, or all that the patterns asked for can give."""
        if self.fields:
            return self.fields
        given: set[str] = set()
        for program in library.programs.values():
            for pattern in program.patterns:
                if self.wants_event(pattern.event):
                    given |= {"queue_id", *pattern.captures, *pattern.constants}
                    given |= set(REPLY_FIELDS) if pattern.event == ATTEMPT else set()
        return CORE_COLUMNS + tuple(field.name for field in FIELDS[len(CORE) :] if field.name in given)


def json_lines(batch: list[Events], choice: Choice) -> pl.Series:
    """One JSON object per event, absent fields left out, in order."""
    encoded = [
        frame.select("order", _encode(frame.drop("order")).alias("line")) for frame in frames(batch, choice)
    ]
    if not encoded:
        return pl.Series("line", [], dtype=pl.String)
    return json_safe(pl.concat(encoded).sort("order")["line"])


def table(batch: list[Events], choice: Choice, columns: Iterable[str]) -> pl.DataFrame:
    """The same events as a frame with the given columns, text made safe for a spreadsheet."""
    parts = list(frames(batch, choice))
    rows = pl.concat(parts, how="diagonal").sort("order") if parts else pl.DataFrame()
    return pl.DataFrame(
        [
            _cell(rows[name])
            if name in rows.columns
            else pl.Series(name, [None], dtype=_dtype(name)).new_from_index(0, len(rows))
            for name in columns
        ]
    )


def frames(batch: list[Events], choice: Choice) -> Iterator[pl.DataFrame]:
    """Rows of one line format after the other: ``order``, then the columns that hold anything."""
    for events in batch:
        core = _core(events)
        for part in events.parts:
            if choice.wants_event(part.pattern.event):
                yield from _rows(core, part.pattern.event, part.service, _fields(part), choice)
        if choice.wants_event(UNRECOGNISED):
            rows = pl.DataFrame({"row": events.unrecognised})
            yield from _rows(core, UNRECOGNISED, None, rows, choice)


def _core(events: Events) -> pl.DataFrame:
    """The core columns of a whole chunk, made once for all its line formats."""
    tags = events.recognised.tags.select(pl.col("program").replace("", None), "service", "instance", "pid")
    facility, severity = (None, None) if events.pri is None else priority.names(events.pri)
    order = (
        pl.int_range(len(events.raw), dtype=pl.UInt32, eager=True) if events.order is None else events.order
    )
    return pl.select(
        order.alias("order"),
        events.time.dt.strftime(INSTANT).alias("time"),
        _quality(events.quality).alias("time_quality"),
        pl.lit(events.host, pl.String).alias("host"),
        *tags.select(pl.all().gather(events.recognised.tag_code)),
        pl.lit(facility, pl.String).alias("facility"),
        pl.lit(severity, pl.String).alias("severity"),
        events.text.alias("text"),
        pl.lit(events.source).alias("source"),
        events.number.alias("line_number"),
    )


def _quality(quality: pl.Series | int) -> pl.Expr:
    """The words for how well instants are known; null where that is exactly."""
    words = {code: word for code, word in enumerate(QUALITIES) if code != EXACT}
    if isinstance(quality, int):
        return pl.lit(words.get(quality), pl.String)
    return pl.lit(quality).replace_strict(words, default=None, return_dtype=pl.String)


def _fields(part: Part) -> pl.DataFrame:
    """What the pattern gives: captured fields, constants, and what the words of a reply tell."""
    constants = [
        pl.lit(value, dtype=DTYPES[BY_NAME[name].kind]).alias(name)
        for name, value in part.pattern.constants.items()
    ]
    return completed(part.pattern.event, part.frame.with_columns(constants))


def _rows(
    core: pl.DataFrame, event: str, service: str | None, fields: pl.DataFrame, choice: Choice
) -> Iterator[pl.DataFrame]:
    """The rows of one line format that were asked for, if there are any."""
    frame = core.select(pl.all().gather(fields["row"]))
    frame = frame.with_columns(
        pl.lit(event).alias("event"), pl.coalesce("service", pl.lit(service, pl.String)).alias("service")
    ).select("order", *CORE_COLUMNS)
    frame = pl.concat([frame, fields.drop("row")], how="horizontal")
    if choice.programs:
        frame = frame.filter(choice.wants_program())
    names = [name for name in choice.fields or frame.columns[1:] if name in frame.columns]
    held = [name for name in names if frame[name].null_count() < len(frame)]
    if len(frame):
        yield frame.select("order", *held)


def _encode(frame: pl.DataFrame) -> pl.Series:
    """Rows as JSON objects without nulls."""
    if not frame.columns:
        return pl.Series("line", ["{}"]).new_from_index(0, len(frame))
    lines = frame.select(pl.struct(pl.all()).struct.json_encode().alias("line")).to_series()
    if any(frame[name].null_count() for name in frame.columns):
        lines = lines.str.replace_all(NULL, "").str.replace(FIRST_NULL, "{")
    return lines


def _cell(column: pl.Series) -> pl.Series:
    return csv_safe(column) if column.dtype == pl.String else column


def _dtype(name: str) -> pl.DataType | type[pl.DataType]:
    return DTYPES[BY_NAME[name].kind]
