"""Lines as they are stored: the latest ones, and, with a script, those that come while one looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.shown import safe
from mailscope.web.pages.grid import LONGEST_RAW, cut
from mailscope.web.pages.lines import around
from mailscope.web.pages.page import Context, Page
from mailscope.web.pages.rows import Where
from mailscope.web.pages.visit import Visit

MOST: Final = 100
FILTERS: Final = {
    "event": Phrase("Event"),
    "service": Phrase("Service"),
    "host": Phrase("Host"),
    "text": Phrase("Text"),
}
CONDITIONS: Final = {
    "event": "event = ?",
    "service": "service = ? or program = ?",
    "host": "host = ?",
    "text": "contains(lower(raw), lower(?))",
}
Cell = tuple[str, str, str]


@dataclass(frozen=True)
class Live(Context):
    """``rows``: the latest first; a cell is its class, its text, and where it leads."""

    filters: Sequence[tuple[str, str, str]]
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def show(visit: Visit) -> Live:
    """What the page shows."""
    asked = {name: visit.asked(name) for name in FILTERS if visit.asked(name)}
    visit.audit("tail", " ".join(f"{name}={value}" for name, value in asked.items()) or "everything")
    where = Where()
    for name, value in asked.items():
        where.add(CONDITIONS[name], *[value] * CONDITIONS[name].count("?"))
    columns = "time, host, service, program, event, trail_id, raw"
    frame = visit.rows.newest("events", columns, where, visit.span.since, visit.span.until, MOST)
    tr = visit.tr
    return Live(
        [(name, tr(words), asked.get(name, "")) for name, words in FILTERS.items()],
        (tr("Time"), tr("Host"), tr("Service"), tr("Event"), tr("Line")),
        [cells(visit, row) for row in frame.iter_rows(named=True)],
    )


def cells(visit: Visit, row: Mapping[str, Any]) -> list[Cell]:
    """A line as cells."""
    time = row["time"]
    return [
        ("time", visit.told_time(time) if time else "-", around(visit, time, row["host"]) if time else ""),
        ("text", safe(row["host"] or "-"), ""),
        ("text", safe(row["service"] or row["program"] or "-"), ""),
        ("text", row["event"] or "-", f"/messages/{row['trail_id']}" if row["trail_id"] else ""),
        ("raw", cut(safe(row["raw"] or ""), LONGEST_RAW), ""),
    ]


def chosen(rows: pl.DataFrame, asked: Mapping[str, str]) -> pl.DataFrame:
    """The rows of a batch that the filters let pass."""
    if event := asked.get("event"):
        rows = rows.filter(pl.col("event") == event)
    if service := asked.get("service"):
        rows = rows.filter((pl.col("service") == service) | (pl.col("program") == service))
    if host := asked.get("host"):
        rows = rows.filter(pl.col("host") == host)
    if text := asked.get("text"):
        rows = rows.filter(pl.col("raw").str.to_lowercase().str.contains(text.lower(), literal=True))
    return rows


PAGE: Final = Page("live", "/live", Phrase("Live"), "live.html", show, "lines", usual="")
