"""The report as one CSV table, a line for each number.

    section,row,label_1,label_2,...,number,unit,value

``section`` and ``number`` are the stable names of ``docs/json.md`` in every language; ``row`` is what
``--evidence SECTION:ROW`` takes.  The balance sheet's numbers have no row and no labels; what wants
attention is the section ``problems``.  A text that a spreadsheet would run as a formula gets an apostrophe in
front, control characters are shown as escapes.

Sources: RFC 4180; OWASP, "CSV Injection".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import polars as pl

from mailscope.exports.escapes import csv_safe
from mailscope.language.translator import Translator
from mailscope.reports.document import document
from mailscope.reports.layout import Paper

SUMS: Final = ("lines", "messages", "recipients", "attempts", "sums")
Line = tuple[str, int | None, tuple[Any, ...], str, str, Any]


def written(report: dict[str, Any], tr: Translator, paper: Paper) -> bytes:
    """The table, with a header."""
    lines = list(_lines(report, tr, paper))
    most = max(2, *(len(labels) for _, _, labels, _, _, _ in lines))
    columns: dict[str, list[Any]] = {
        "section": [line[0] for line in lines],
        "row": [line[1] for line in lines],
    }
    for place in range(most):
        columns[f"label_{place + 1}"] = [line[2][place] if place < len(line[2]) else None for line in lines]
    columns |= {"number": [line[3] for line in lines], "unit": [line[4] for line in lines]}
    # Whole numbers stay whole beside times in fractions of a second.
    columns["value"] = [None if line[5] is None else str(line[5]) for line in lines]
    table = pl.DataFrame(
        {
            name: pl.Series(name, cells, dtype=pl.Int64)
            if name == "row"
            else csv_safe(pl.Series(name, cells, dtype=pl.String))
            for name, cells in columns.items()
        }
    )
    return table.write_csv().encode()


def _lines(report: dict[str, Any], tr: Translator, paper: Paper) -> Iterator[Line]:
    for part in SUMS:
        for name, value in report.get(part, {}).items():
            yield part, None, (), name, "bytes" if "bytes" in name else "count", value
    if "rejected" in report:
        yield "rejected", None, (), "total", "count", report["rejected"]["total"]
    page = document(report, tr, str, whole=True)
    for place, problem in enumerate(report["problems"], 1):
        told = page.problems[place - 1]
        yield "problems", place, (told.severity, told.title), "count", "count", problem["count"]
    for table in page.tables:
        for row in table.rows:
            labels = tuple(None if known is None else str(known) for known in row.known)
            for number, value in zip(table.numbers, row.values, strict=True):
                yield table.name, row.number or None, labels, number.name, number.unit, value
