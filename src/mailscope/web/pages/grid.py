"""A table of a page: columns, rows of cells, and where each cell leads.

It is what HTML shows and what CSV and JSON give out, so that all three say the same.  Words of persons go
through the viewer's mask where the cell is made, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

import polars as pl

from mailscope.causes.catalogue import catalogue
from mailscope.reports import figures
from mailscope.reports.document import WEEKDAYS
from mailscope.reports.section import Section
from mailscope.tallies.ledger import Ledger
from mailscope.vocabulary.shown import safe

if TYPE_CHECKING:
    from mailscope.web.pages.visit import Visit

# Units of cells: those of the report, and instants, addresses of persons and words of ours.
Unit = Literal[
    "text",
    "word",
    "cause",
    "hour",
    "day",
    "clock",
    "weekday",
    "week",
    "count",
    "bytes",
    "seconds",
    "percent",
    "factor",
    "chance",
    "time",
    "address",
    "status",
    "raw",
    "severity",
    "bar",
]
NUMBERS: Final = frozenset({"count", "bytes", "seconds", "percent", "factor", "chance"})
LONGEST: Final = 300
LONGEST_RAW: Final = 4_000
Link = Callable[[Mapping[str, Any]], str | None]
# Columns that hold mail addresses, whatever they are called elsewhere.
ADDRESSES: Final = frozenset({"sender", "recipient", "user", "orig_recipient", "sasl_user"})


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its stable name, what people call it, and the unit of its cells."""

    name: str
    title: str
    unit: Unit = "text"

    @property
    def number(self) -> bool:
        """Whether it is set to the right."""
        return self.unit in NUMBERS


@dataclass(frozen=True, slots=True)
class Cell:
    """``value`` as it is in JSON, ``text`` as people read it, ``href``: where it leads ("": nowhere)."""

    value: Any
    text: str
    href: str = ""
    unit: str = "text"


@dataclass(frozen=True)
class Grid:
    """A table.

    ``total``: how many rows there are in all, None where nobody counted; ``empty``: what is said where there
    is none; ``more``: a page that has all of them.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    meaning: str = ""
    total: int | None = None
    empty: str = ""
    more: str = ""


def of_rows(
    visit: Visit,
    name: str,
    title: str,
    columns: Sequence[Column],
    rows: Iterable[Mapping[str, Any]],
    links: Mapping[str, Link] | None = None,
    **more: Any,
) -> Grid:
    """A table of plain rows; ``links``: column -> where its cells lead."""
    made = tuple(tuple(_cell(visit, column, row, links or {}) for column in columns) for row in rows)
    return Grid(name, title, tuple(columns), made, **more)


def of_section(
    visit: Visit,
    section: Section,
    ledger: Ledger,
    links: Mapping[str, Link] | None = None,
    top: int = 10,
    only: Callable[[pl.DataFrame], pl.DataFrame] | None = None,
    **more: Any,
) -> Grid:
    """A section of the report, as the report counts it; all its rows where the table is exported."""
    found = section.rows(ledger, str(visit.zone))
    found = only(found) if only is not None else found
    top = visit.top(section.name, top)
    columns = [
        *(
            Column(label.name, visit.tr(label.title), _unit(label.name, label.unit))
            for label in section.labels
        ),
        *(
            Column(number.name, visit.tr(number.title), number.unit)
            for number in section.numbers
            if not number.hidden
        ),
    ]
    rows = found.head(top).iter_rows(named=True)
    more = {"meaning": visit.tr(section.meaning), "total": len(found)} | more
    return of_rows(visit, section.name, visit.tr(section.title), columns, rows, links, **more)


def _unit(name: str, unit: Any) -> Any:
    return "address" if name in ADDRESSES and unit == "text" else unit


def _cell(visit: Visit, column: Column, row: Mapping[str, Any], links: Mapping[str, Link]) -> Cell:
    known = value = row.get(column.name)
    if column.unit == "address" and value:
        value = visit.masked(str(value))
    text = shown(visit, value, column)
    link = links.get(column.name)
    # Where a name is hidden, no link may tell it.
    href = link(row) if link is not None and text not in ("", "0") and value == known else None
    return Cell(plain(value), text, href or "", column.unit)


def shown(visit: Visit, value: Any, column: Column) -> str:
    """A value as people read it, safe to show."""
    unit = column.unit
    if value is None and unit != "seconds":
        return "-"
    if unit == "time":
        return visit.told_time(value)
    if unit == "hour" and isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if unit in ("word", "status", "severity"):
        return visit.tr(str(value))
    if unit == "weekday":
        return visit.tr(WEEKDAYS[value - 1])
    if unit == "cause":
        known = catalogue().get(str(value))
        return known.text(visit.tr.language).title if known else str(value)
    if column.name == "sender" and value == "":
        return "<>"
    return cut(safe(figures.shown(value, unit)), LONGEST_RAW if unit == "raw" else LONGEST)


def cut(text: str, longest: int = LONGEST) -> str:
    """A text of a bearable length."""
    return text if len(text) <= longest else text[: longest - 1] + "\u2026"


def plain(value: Any) -> Any:
    """A value as JSON holds it; instants are UTC."""
    if isinstance(value, datetime):
        return value.isoformat() + ("Z" if value.tzinfo is None else "")
    if isinstance(value, date):
        return value.isoformat()
    return round(value, 4) if isinstance(value, float) else value
