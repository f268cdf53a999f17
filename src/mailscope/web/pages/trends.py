"""Long trends: when in the week mail comes, week by week, and where figures are heading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from mailscope.language.phrase import Phrase
from mailscope.reports import figures
from mailscope.reports.document import WEEKDAYS
from mailscope.reports.sections.heatmap import SECTION as HEAT
from mailscope.reports.sections.trends import BY_WEEK, TRENDS
from mailscope.reports.sections.volume import BY_DAY
from mailscope.tallies.ledger import Ledger
from mailscope.vocabulary.errors import UsageError
from mailscope.vocabulary.instants import naive
from mailscope.web.pages.grid import Grid, of_section
from mailscope.web.pages.page import Context, Page
from mailscope.web.pages.span import Span
from mailscope.web.pages.visit import Visit

SHADES: Final = 9
MEASURES: Final = {"received": Phrase("received"), "rejected": Phrase("rejected")}
TALLIES: Final = ("received", "attempts", "verdicts_by_time", "logins_by_day", "problems_by_day")


@dataclass(frozen=True)
class HeatCell:
    """``shade``: 0 to 9."""

    figure: str
    shade: int
    told: str
    href: str


@dataclass(frozen=True)
class Trends(Context):
    """``heat``: for each weekday its name and 24 cells; ``measures``: what they may be of."""

    heat: Sequence[tuple[str, Sequence[HeatCell]]]
    measure: str
    measures: Sequence[tuple[str, str, str]]
    cells: Grid
    weeks: Grid
    days: Grid
    trends: Grid


def show(visit: Visit) -> Trends:
    """What the page shows.  Raises UsageError for a figure that it does not have."""
    measure = visit.asked("of") or "received"
    if measure not in MEASURES:
        raise UsageError(
            Phrase("there is no such figure '{measure}'", measure=measure[:20]),
            "of",
            Phrase("there are {kinds}", kinds=", ".join(MEASURES)),
        )
    ledger = visit.ledger(*TALLIES)
    return Trends(
        _heat(visit, ledger, measure),
        measure,
        [(name, visit.tr(words), visit.here(of=name)) for name, words in MEASURES.items()],
        of_section(visit, HEAT, ledger, {name: _cell_link(visit, name) for name in MEASURES}, 0),
        of_section(visit, BY_WEEK, ledger, _links(visit, "week"), 60),
        of_section(visit, BY_DAY, ledger, _links(visit, "day"), 400),
        of_section(visit, TRENDS, ledger, {}, 20),
    )


def _heat(visit: Visit, ledger: Ledger, measure: str) -> list[tuple[str, list[HeatCell]]]:
    rows = HEAT.rows(ledger, str(visit.zone))
    found = {(row["weekday"], int(row["hour"][:2])): row[measure] for row in rows.iter_rows(named=True)}
    most = max(found.values(), default=0)
    link = _cell_link(visit, measure)
    week = []
    for weekday in range(1, 8):
        name = visit.tr(WEEKDAYS[weekday - 1])
        cells = []
        for hour in range(24):
            count = found.get((weekday, hour), 0)
            shade = max(1, round(SHADES * (count / most) ** 0.5)) if count else 0
            href = link({"weekday": weekday, "hour": f"{hour:02}:00"}) if count else None
            told = f"{name} {hour:02}:00: {figures.count(count)} {visit.tr(MEASURES[measure])}"
            cells.append(HeatCell(figures.count(count) if count else "", shade, told, href or ""))
        week.append((name, cells))
    return week


def _cell_link(visit: Visit, measure: str) -> Any:
    """Where a cell leads: the messages, or refusals, of an hour of the week."""

    def link(row: Mapping[str, Any]) -> str | None:
        of_week = {"weekday": row["weekday"], "clock": row["hour"][:2]}
        if measure == "received":
            return visit.link("/messages", **of_week)
        return visit.link("/lines", event="rejected", **of_week) if visit.viewer.may("lines") else None

    return link


def _links(visit: Visit, label: str) -> dict[str, Any]:
    """Where the figures of a day or week lead."""

    def span(row: Mapping[str, Any]) -> Span:
        return _week(visit, row[label]) if label == "week" else _days(visit, row[label], 1)

    def status(name: str) -> Any:
        return lambda row: visit.link("/messages", span(row), status=name)

    return {
        label: lambda row: visit.link("/", span(row)),
        "received": lambda row: visit.link("/messages", span(row)),
        "delivered": status("sent"),
        "deferred": status("deferred"),
        "bounced": status("bounced"),
        "rejected": lambda row: (
            visit.link("/lines", span(row), event="rejected") if visit.viewer.may("lines") else None
        ),
    }


def _week(visit: Visit, name: str) -> Span:
    """A week of ISO 8601, such as 2026-W48."""
    year, _, week = name.partition("-W")
    return _days(visit, date.fromisocalendar(int(year), int(week), 1), 7)


def _days(visit: Visit, first: date, count: int) -> Span:
    """Whole days of the viewer's zone."""

    since, until = (
        naive(datetime.combine(day, time(), visit.zone)) for day in (first, first + timedelta(days=count))
    )
    return Span(since, until)


PAGE: Final = Page("trends", "/trends", Phrase("Trends"), "trends.html", show, "look", "28d")
