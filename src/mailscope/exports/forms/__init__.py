"""The forms in which events can be given, one file each.

In: batches of recognised lines.  Out: frames with a row per event, of which a sink (a file, a server) makes
bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import polars as pl

from mailscope.exports.choice import EXPORTED, Choice
from mailscope.exports.forms import ecs, gelf, otlp, own
from mailscope.recognise.events import Events
from mailscope.recognise.library import Library

# A batch may become several frames, one after the other: tables are wide.
Encoder = Callable[[list[Events]], Iterable[pl.DataFrame]]


@dataclass(frozen=True, slots=True)
class Form:
    """One form: its name, how names of such files end, and how batches are encoded.

    ``columns``: the columns of a table in this form; None where it is none.
    """

    name: str
    suffixes: tuple[str, ...]
    encoder: Callable[[Choice, tuple[str, ...]], Encoder]
    columns: Callable[[Choice, Library], tuple[str, ...]] | None = None


def _lines(
    encode: Callable[[list[Events], Choice], pl.Series],
) -> Callable[[Choice, tuple[str, ...]], Encoder]:
    return lambda choice, _: lambda batch: [encode(batch, choice).to_frame()]


def _vocabulary(choice: Choice, _: Library) -> tuple[str, ...]:
    """Every field there is, so that files of different logs have one schema."""
    return choice.fields or tuple(field.name for field in EXPORTED)


FORMS: Final = (
    Form("jsonl", (".jsonl", ".ndjson"), _lines(own.json_lines)),
    Form("json", (".json",), _lines(own.json_lines)),
    Form("csv", (".csv",), lambda choice, names: lambda b: own.cells(b, choice, names), Choice.columns),
    Form("parquet", (".parquet",), lambda choice, names: lambda b: own.typed(b, choice, names), _vocabulary),
    Form("ecs", (".ecs.jsonl", ".ecs.ndjson"), _lines(ecs.documents)),
    Form("gelf", (".gelf.jsonl", ".gelf.ndjson"), _lines(gelf.messages)),
    Form("otlp", (".otlp.jsonl", ".otlp.ndjson"), lambda choice, _: lambda b: [otlp.records(b, choice)]),
)
BY_NAME: Final = {form.name: form for form in FORMS}


def of_file(name: str) -> Form | None:
    """The form that a file's name tells by its end; the longest one that fits (``.ecs.jsonl``)."""
    fitting = [
        (len(suffix), form.name)
        for form in FORMS
        for suffix in form.suffixes
        if name.lower().endswith(suffix)
    ]
    return BY_NAME[max(fitting)[1]] if fitting else None
