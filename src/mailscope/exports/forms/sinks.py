"""Encoded events written to a stream: lines, a JSON list, CSV with a header, OTLP requests."""

from __future__ import annotations

from typing import BinaryIO, Final, Protocol

import polars as pl

from mailscope.exports.forms.otlp import request
from mailscope.exports.slices import slices

# Records in one line of an OTLP file.
OTLP_RECORDS: Final = 1000
OTLP_BYTES: Final = 4 << 20


class Sink(Protocol):
    """What takes encoded events: a file or a server."""

    def put(self, rows: pl.DataFrame) -> None:
        """Take some events, in order."""

    def close(self) -> None:
        """Finish: there are no more events."""


def file_sink(form: str, out: BinaryIO, columns: tuple[str, ...]) -> Sink:
    """The sink that writes a form to a stream."""
    match form:
        case "csv":
            return Csv(out, columns)
        case "json":
            return JsonList(out)
        case "otlp":
            return OtlpLines(out)
        case "parquet":
            # Only now: pyarrow takes a while to load.
            from mailscope.exports.forms.parquet import Parquet

            return Parquet(out, columns)
        case _:
            return Lines(out)


class Lines:
    """One JSON object a line."""

    def __init__(self, out: BinaryIO) -> None:
        self.out = out

    def put(self, rows: pl.DataFrame) -> None:
        """Write some events."""
        rows.select("line").write_csv(self.out, include_header=False, quote_style="never")
        self.out.flush()

    def close(self) -> None:
        """Write what stands after the last event."""
        self.out.flush()


class JsonList(Lines):
    """One JSON list of all."""

    def __init__(self, out: BinaryIO) -> None:
        super().__init__(out)
        self._before = b"[\n"

    def put(self, rows: pl.DataFrame) -> None:
        """Write some events; a comma goes between objects, not after the last one."""
        self.out.write(self._before)
        self.out.write(",\n".join(rows["line"]).encode())
        self._before = b",\n"
        self.out.flush()

    def close(self) -> None:
        """End the list."""
        self.out.write(b"[\n]\n" if self._before == b"[\n" else b"\n]\n")
        self.out.flush()


class Csv(Lines):
    """A header, then one row an event."""

    def __init__(self, out: BinaryIO, columns: tuple[str, ...]) -> None:
        super().__init__(out)
        self._columns = columns
        self._begun = False

    def put(self, rows: pl.DataFrame) -> None:
        """Write some events."""
        self._begin()
        rows.write_csv(self.out, include_header=False)
        self.out.flush()

    def close(self) -> None:
        """Write the header if nothing came."""
        self._begin()
        self.out.flush()

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            pl.DataFrame(schema=dict.fromkeys(self._columns, pl.String)).write_csv(self.out)


class OtlpLines(Lines):
    """One ExportLogsServiceRequest a line, with many records each."""

    def put(self, rows: pl.DataFrame) -> None:
        """Write some events."""
        for piece in slices(rows, OTLP_RECORDS, OTLP_BYTES):
            self.out.write(request(piece).encode() + b"\n")
        self.out.flush()
