"""Events written to a stream as they come: JSON lines, a JSON list, or CSV with a header."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

import polars as pl

from mailscope.intake.clock import YearDisproved
from mailscope.pipeline import Pipeline
from mailscope.recognise.events import Events
from mailscope.recognise.library import Library
from mailscope.reports.export import Choice, json_lines, table
from mailscope.vocabulary.errors import InputError


class Writer:
    """Writes batch after batch; what was written is not kept.

    In: a binary stream; the form (jsonl, json or csv); what was asked for; the library that the events were
    recognised with (it tells which columns there can be); after how many events to stop (None: never).
    ``written`` counts the events so far, ``lines`` the lines that count (not blank, and
    of the time and hosts asked for).
    """

    def __init__(
        self, out: BinaryIO, form: str, choice: Choice, library: Library, limit: int | None = None
    ) -> None:
        self.out = out
        self.choice = choice
        self.limit = limit
        self.written = 0
        self.lines = 0
        self._begun = False
        self._form = form
        self._columns = choice.columns(library) if form == "csv" else ()
        self._write: Callable[[pl.DataFrame], None] = self._csv if form == "csv" else self._json

    @property
    def full(self) -> bool:
        """Whether as many events are written as were asked for."""
        return self.limit is not None and self.written >= self.limit

    def _begin(self) -> None:
        """Write what stands before the first event, once."""
        if self._begun:
            return
        self._begun = True
        if self._form == "csv":
            pl.DataFrame(schema=dict.fromkeys(self._columns, pl.String)).write_csv(self.out)
        elif self._form == "json":
            self.out.write(b"[\n")

    def drain(self, pipeline: Pipeline) -> None:
        """Write the events of a whole run, or those up to the limit.

        Raises InputError where a log turns out to cover more years than its beginning told, as what is
        written by then cannot be taken back.
        """
        self.lines = 0
        try:
            for batch in pipeline.batches() if not self.full else ():
                self.write(batch)
                if self.full:
                    break
        except YearDisproved as disproved:
            if not self.written:
                raise
            what = "it covers more years than its beginning tells"
            raise InputError(what, disproved.source, "unpack it and read the plain file") from disproved

    def write(self, batch: list[Events]) -> None:
        """Write the events of a batch, up to the limit."""
        self.lines += sum(events.read + events.duplicate for events in batch)
        if self._form == "csv":
            rows = table(batch, self.choice, self._columns)
        else:
            rows = json_lines(batch, self.choice).to_frame()
        if self.limit is not None:
            rows = rows.head(self.limit - self.written)
        if len(rows):
            self._begin()
            self._write(rows)
            self.written += len(rows)
            self.out.flush()

    def close(self) -> None:
        """Write what stands after the last event."""
        self._begin()
        if self._form == "json":
            self.out.write(b"\n]\n" if self.written else b"]\n")
        self.out.flush()

    def _csv(self, rows: pl.DataFrame) -> None:
        rows.write_csv(self.out, include_header=False)

    def _json(self, lines: pl.DataFrame) -> None:
        if self._form == "jsonl":
            lines.write_csv(self.out, include_header=False, quote_style="never")
            return
        # A comma goes between objects, not after the last one.
        self.out.write(b",\n" if self.written else b"")
        self.out.write(",\n".join(lines["line"]).encode())
