"""A reading that begins again gives its events once, or says that it cannot."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from running import pipeline, source

from mailscope.exports.choice import EXPORTED, Choice
from mailscope.exports.drain import Drain
from mailscope.exports.forms import BY_NAME
from mailscope.exports.forms.sinks import file_sink
from mailscope.intake.clock import YearDisproved
from mailscope.vocabulary.errors import InputError

NAMES = tuple(field.name for field in EXPORTED)


class Disproved:
    """A run that breaks off after its batches the first time, because a year was wrong."""

    def __init__(self, path: Path) -> None:
        self.run = pipeline([source(path)])
        self.broken = False

    def batches(self) -> Iterator[Any]:
        yield from self.run.batches()
        if not self.broken:
            self.broken = True
            raise YearDisproved("mail.log", 1)


@pytest.mark.parametrize("form", ["jsonl", "json", "csv", "parquet", "otlp"])
def test_what_can_be_taken_back_is_written_anew(log: Path, form: str) -> None:
    written = []
    for run in (Disproved(log), Disproved(log)):
        out = io.BytesIO()
        run.broken = bool(written)

        def rewind(out: io.BytesIO = out) -> None:
            out.seek(0)
            out.truncate()

        encode = BY_NAME[form].encoder(Choice(), NAMES)
        drain = Drain(encode, lambda out=out: file_sink(form, out, NAMES), None, rewind)  # type: ignore[misc]
        try:
            drain.drain(run)  # type: ignore[arg-type]
        except YearDisproved:
            drain.drain(run)  # type: ignore[arg-type]
        drain.close()
        assert drain.written == 10
        written.append(out.getvalue())
    if form == "parquet":
        first, second = (parquet.read_table(pa.BufferReader(data)) for data in written)
        assert first.equals(second)
    elif form != "otlp":  # whose records tell when they were read
        assert written[0] == written[1]
    else:
        assert written[0].count(b'"body"') == written[1].count(b'"body"') == 10


def test_what_cannot_be_taken_back_is_an_error(log: Path) -> None:
    drain = Drain(BY_NAME["jsonl"].encoder(Choice(), ()), lambda: file_sink("jsonl", io.BytesIO(), ()))
    with pytest.raises(InputError, match="more years"):
        drain.drain(Disproved(log))  # type: ignore[arg-type]


def test_before_the_first_event_it_just_begins_again(log: Path) -> None:
    choice = Choice(frozenset({"held"}))
    drain = Drain(BY_NAME["jsonl"].encoder(choice, ()), lambda: file_sink("jsonl", io.BytesIO(), ()))
    with pytest.raises(YearDisproved):
        drain.drain(Disproved(log))  # type: ignore[arg-type]
