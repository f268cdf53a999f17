"""Who looked at whose data, and did what: the audit, to be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mailscope.language.phrase import Phrase
from mailscope.store import audit
from mailscope.vocabulary.instants import naive
from mailscope.web.pages.grid import Column, Grid, of_rows
from mailscope.web.pages.page import Context, Page
from mailscope.web.pages.visit import Visit

USUAL_ROWS: Final = 100


@dataclass(frozen=True)
class Audit(Context):
    """The table, and what it is narrowed to."""

    found: Grid
    who: str
    what: str


def show(visit: Visit) -> Audit:
    """What the page shows."""
    visit.audit("audit", f"{visit.asked('who')} {visit.asked('what')}".strip() or "everything")
    directory = visit.reader.database.directory
    who, what = visit.asked("who"), visit.asked("what")
    entries = [
        entry
        for entry in reversed(audit.entries(directory, visit.span.since))
        if who.lower() in entry.who.lower() and what.lower() in f"{entry.what} {entry.asked}".lower()
    ]
    rows = [
        {"time": _instant(entry.time), "who": entry.who, "what": entry.what, "asked": entry.asked}
        for entry in entries[: visit.top("audit", USUAL_ROWS)]
    ]
    tr = visit.tr
    columns = (
        Column("time", tr("Time"), "time"), Column("who", tr("Who")), Column("what", tr("What")),
        Column("asked", tr("Asked")),
    )  # fmt: skip
    links = {"who": lambda row: visit.here(who=row["who"]), "what": lambda row: visit.here(what=row["what"])}
    return Audit(of_rows(visit, "audit", "", columns, rows, links, total=len(entries)), who, what)


def _instant(text: str) -> datetime | None:
    try:
        return naive(datetime.fromisoformat(text))
    except ValueError:
        return None


PAGE: Final = Page("audit", "/audit", Phrase("Audit"), "audit.html", show, "audit", "7d")
