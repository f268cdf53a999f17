"""A table of a page as a file: CSV that no spreadsheet runs, or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import polars as pl

from mailscope.exports.escapes import csv_safe
from mailscope.web.pages.grid import Grid


def as_csv(grid: Grid) -> bytes:
    """The names of the columns, and the rows."""
    columns = [
        csv_safe(pl.Series(column.name, [_text(row[place].value) for row in grid.rows], dtype=pl.String))
        for place, column in enumerate(grid.columns)
    ]
    return pl.DataFrame(columns).write_csv(line_terminator="\r\n").encode()


def as_json(grid: Grid) -> bytes:
    """A list of objects."""
    names = [column.name for column in grid.columns]
    rows = [dict(zip(names, (cell.value for cell in row), strict=True)) for row in grid.rows]
    return (json.dumps(rows, indent=1, default=str).replace("\x7f", "\\u007f") + "\n").encode("ascii")


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


FORMATS: Final[dict[str, tuple[Callable[[Grid], bytes], str]]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "json": (as_json, "application/json"),
}


def exported(grid: Grid, form: str) -> tuple[bytes, str, str]:
    """The file, its content type, and its name."""
    make, kind = FORMATS[form]
    return make(grid), kind, f"mailscope-{grid.name}.{form}"
