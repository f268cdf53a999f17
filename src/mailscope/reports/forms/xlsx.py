"""The report as an Excel workbook: one sheet per section, real numbers, heads that stay in sight.

Text is written as text whatever it looks like: no cell of ours is a formula or a link.  Instants are those of
the report's zone, as Excel knows no zones.

Source: ECMA-376 by way of XlsxWriter; Excel's own limits (a cell holds 32,767 characters, a sheet's name 31).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from io import BytesIO
from typing import Any, Final

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from mailscope.language.translator import Translator
from mailscope.reports.document import Document, Table, document
from mailscope.reports.layout import Paper

CELL: Final = 32_767
NAME: Final = 31
WIDEST: Final = 70
_FORBIDDEN: Final = re.compile(r"[\[\]:*?/\\']")
TEXT_ONLY: Final = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
FORMATS: Final[dict[str, dict[str, Any]]] = {
    "title": {"bold": True, "font_size": 16},
    "head": {"bold": True, "bottom": 1, "bg_color": "#E8EEF4"},
    "strong": {"bold": True},
    "faint": {"font_color": "#666666", "italic": True},
    "count": {"num_format": "#,##0"},
    "bytes": {"num_format": "#,##0"},
    "seconds": {"num_format": "0.00"},
    "percent": {"num_format": "0.0"},
    "hour": {"num_format": "yyyy-mm-dd hh:mm", "align": "left"},
    "day": {"num_format": "yyyy-mm-dd", "align": "left"},
    "text": {},
}


def written(report: dict[str, Any], tr: Translator, paper: Paper) -> bytes:
    """The workbook."""
    page = document(report, tr, paper.safe, whole=True)
    out = BytesIO()
    with xlsxwriter.Workbook(out, TEXT_ONLY) as book:
        formats = {name: book.add_format(told) for name, told in FORMATS.items()}
        names = _names([tr("Summary"), *(table.title for table in page.tables if table.rows)])
        _summary(book.add_worksheet(next(names)), page, tr, formats)
        for table in page.tables:
            if table.rows:
                _section(book.add_worksheet(next(names)), table, formats)
    return out.getvalue()


def _names(titles: list[str]) -> Iterator[str]:
    """Names of sheets: short, without forbidden characters, and no two alike."""
    given: set[str] = set()
    for title in titles:
        base = _FORBIDDEN.sub(" ", title)[:NAME]
        name, number = base, 1
        while name.lower() in given:
            number += 1
            name = f"{base[: NAME - 3]} {number}"
        given.add(name.lower())
        yield name


def _summary(sheet: Worksheet, page: Document, tr: Translator, formats: dict[str, Format]) -> None:
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 14)
    sheet.set_column(2, 4, 60)
    _text(sheet, 0, 0, page.title, formats["title"])
    _text(sheet, 1, 0, page.period)
    _text(sheet, 2, 0, page.sources, formats["faint"])
    at = 4
    for figure in page.headline:
        _text(sheet, at, 0, figure.name, formats["strong"])
        sheet.write_number(at, 1, figure.value, formats[figure.unit])
        at += 1
    at += 1
    _text(
        sheet,
        at,
        0,
        tr("Wants attention") if page.problems else tr("Nothing wants attention."),
        formats["head"],
    )
    for problem in page.problems:
        at += 1
        for column, text in enumerate(
            (problem.title, problem.count, problem.meaning, problem.advice, problem.evidence)
        ):
            _text(sheet, at, column, text)
    at += 2
    for block in page.balance:
        for figure in filter(None, block):
            name = formats["head" if figure.style == "head" else "text"]
            _text(sheet, at, 0, "   " * figure.level + figure.name, name)
            sheet.write_number(at, 1, figure.value, formats[figure.unit])
            at += 1
        at += 1
    for sentence in (*(page.wrong or [tr("All sums add up.")]), *page.notes):
        _text(sheet, at, 0, sentence, formats["faint"])
        at += 1


def _section(sheet: Worksheet, table: Table, formats: dict[str, Format]) -> None:
    """A table that begins in the first row, so that filters and formulas find it; what it means is below."""
    columns = (*table.labels, *table.numbers)
    for place, column in enumerate(columns):
        _text(sheet, 0, place, column.title, formats["head"])
    for at, row in enumerate(table.rows, 1):
        for place, (column, shown, value) in enumerate(
            zip(columns, (*row.labels, *row.figures), (*row.known, *row.values), strict=True)
        ):
            _cell(sheet, at, place, column.unit, shown, value, formats)
    for place in range(len(columns)):
        longest = max(len((*row.labels, *row.figures)[place]) for row in table.rows)
        sheet.set_column(place, place, min(WIDEST, max(longest, len(columns[place].title)) + 3))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(table.rows), len(columns) - 1)
    for below, text in enumerate((table.meaning, table.evidence), len(table.rows) + 2):
        _text(sheet, below, 0, " ".join(text.split()), formats["faint"])


def _cell(
    sheet: Worksheet, row: int, column: int, unit: str, shown: str, value: Any, formats: dict[str, Format]
) -> None:
    if isinstance(value, int | float):
        sheet.write_number(row, column, value, formats.get(unit, formats["text"]))
    elif unit == "hour" and value:
        sheet.write_datetime(row, column, datetime.fromisoformat(value).replace(tzinfo=None), formats["hour"])
    elif unit == "day" and value:
        sheet.write_datetime(row, column, date.fromisoformat(value), formats["day"])
    elif value is not None:
        _text(sheet, row, column, shown)


def _text(sheet: Worksheet, row: int, column: int, text: str, form: Format | None = None) -> None:
    if text:
        shown = text if len(text) <= CELL else text[: CELL - 1] + "\u2026"
        sheet.write_string(row, column, shown, form)
