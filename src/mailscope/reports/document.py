"""The report as a document: everything that a form shows, in the person's language, ready to be set.

In: the report as plain data (``report.py``), a language, and how log text is made safe to show.  Out: a
heading, headline figures, the balance sheet, what wants attention, and tables.  A form (``forms/``) only
decides how these look; a section added to the registry appears in all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from mailscope.causes.catalogue import catalogue
from mailscope.language.phrase import Phrase
from mailscope.language.translator import Translator
from mailscope.reports import figures, login_sheet, sheet
from mailscope.reports.grid import HEATMAP, gridded

# Up to so many hours are shown one by one; a longer log is shown by day and by hour of the day.
HOURS: Final = 49
VOLUME: Final = ("by_day", "by_hour", "by_hour_of_day")
# Labels where an empty text means the null sender of RFC 5321.
SENDERS: Final = ("sender", "domain")
NO_SENDER: Final = "<>"
SHOWN_SOURCES: Final = 3
WEEKDAYS: Final = tuple(map(Phrase, ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")))
SEVERITIES: Final = {
    "critical": Phrase("critical"),
    "serious": Phrase("serious"),
    "notice": Phrase("notice"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its stable name, what people call it, and the unit of its cells."""

    name: str
    title: str
    unit: str

    @property
    def ours(self) -> bool:
        """Whether the cells hold words or times of ours, not text of the log."""
        return self.unit != "text"

    @property
    def timed(self) -> bool:
        """Whether the cells are times."""
        return self.unit in ("hour", "day", "clock", "weekday", "week")


@dataclass(frozen=True, slots=True)
class Row:
    """A row: the number it is opened by (0: there is nothing to open), what it is called, its figures.

    ``labels`` and ``figures`` are as people read them, ``known`` and ``values`` as they are in plain data.
    """

    number: int
    labels: tuple[str, ...]
    figures: tuple[str, ...]
    known: tuple[Any, ...]
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A section: what it says, its columns of words and of numbers, its rows and how many there are.

    ``kind``: table, or heatmap (a row for each day of the week, a column for each hour).
    """

    name: str
    title: str
    meaning: str
    problem: bool
    labels: tuple[Column, ...]
    numbers: tuple[Column, ...]
    rows: tuple[Row, ...]
    total: int
    evidence: str
    kind: str = "table"

    @property
    def timed(self) -> bool:
        """Whether the rows are times, in their order."""
        return self.labels[0].timed


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that wants attention."""

    severity: str
    grade: str
    title: str
    count: str
    meaning: str
    advice: str
    section: str
    samples: tuple[str, ...]
    evidence: str


@dataclass(frozen=True, slots=True)
class Document:
    """The whole report."""

    title: str
    period: str
    sources: str
    headline: list[sheet.Figure]
    balance: list[sheet.Block]
    wrong: list[str]
    problems: list[Problem]
    tables: list[Table]
    notes: list[str]


def document(
    report: dict[str, Any], tr: Translator, safe: Callable[[str], str], *, whole: bool = False
) -> Document:
    """The report in a language.

    ``whole``: with every table of volume and with empty tables, for forms that are not read from the top.
    """
    names = list(report["sources"])
    sources = ", ".join(names[:SHOWN_SOURCES])
    if len(names) > SHOWN_SOURCES:
        sources = tr("{names} and {n} more", names=sources, n=len(names) - SHOWN_SOURCES)
    if report.get("domains"):
        only = tr("only mail of {domains}; lines are those of all mail", domains=", ".join(report["domains"]))
        sources = f"{only}; {sources}"
    notes = []
    if report["pooled"]:
        tables = ", ".join(report["pooled"])
        notes.append(
            tr(
                "Some tables had too many rows to be kept apart; their rarest rows were pooled: {tables}",
                tables=tables,
            )
        )
    mail = report.get("page", "mail") == "mail"
    sums = sheet if mail else login_sheet
    return Document(
        title=tr("Mail report") if mail else tr("Report of logins"),
        period=period(report, tr),
        sources=safe(sources),
        headline=sums.headline(report, tr),
        balance=sums.balance(report, tr),
        wrong=sheet.wrong(report, tr),
        problems=_told_once([_problem(problem, tr, safe) for problem in report["problems"]]),
        tables=[_table(name, report, tr, safe, whole=whole) for name in shown_sections(report, whole=whole)],
        notes=notes,
    )


def shown_sections(report: dict[str, Any], *, whole: bool = False) -> list[str]:
    """Names of the sections to show: those with rows; of the tables of volume, those that suit the log."""
    names = [name for name, part in report.items() if isinstance(part, dict) and "rows" in part]
    if whole:
        return names
    volume: list[str] = [name for name in VOLUME if name in names]
    if set(volume) == set(VOLUME):  # nobody asked for a certain one
        volume = _fitting(report)
    return [name for name in names if report[name]["rows"] and (name in volume or name not in VOLUME)]


def _fitting(report: dict[str, Any]) -> list[str]:
    start, end = report["period"]["start"], report["period"]["end"]
    if not (start and end):
        return []
    hours = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() / 3600
    return ["by_hour"] if hours < HOURS else ["by_day", "by_hour_of_day"]


def period(report: dict[str, Any], tr: Translator) -> str:
    """From when to when, how long, and in which zone; empty where no line has a time."""
    start, end = report["period"]["start"], report["period"]["end"]
    if not (start and end):
        return ""
    one, two = datetime.fromisoformat(start), datetime.fromisoformat(end)
    until = f"{two:%H:%M:%S}" if one.date() == two.date() else _moment(two, tr)
    span = figures.seconds((two - one).total_seconds())
    return tr(
        "{start} to {end}, {span}, {zone}", start=_moment(one, tr), end=until, span=span, zone=report["zone"]
    )


def _moment(time: datetime, tr: Translator) -> str:
    return f"{tr(WEEKDAYS[time.weekday()])} {time:%Y-%m-%d %H:%M:%S}"


def _problem(problem: dict[str, Any], tr: Translator, safe: Callable[[str], str]) -> Problem:
    """What wants attention; severity, meaning, advice, samples and evidence where they are known."""
    severity = problem.get("severity", "notice")
    return Problem(
        severity=severity,
        grade=tr(SEVERITIES.get(severity, severity)),
        title=safe(tr(problem.get("title") or problem["what"])),
        count=figures.count(problem["count"]),
        meaning=safe(tr(problem.get("meaning") or "")),
        advice=safe(tr(problem.get("advice") or "")),
        section=problem.get("section") or "",
        samples=tuple(safe(line) for line in problem.get("samples") or ()),
        evidence=safe(problem.get("evidence") or ""),
    )


def _told_once(problems: list[Problem]) -> list[Problem]:
    """Problems of one kind, one for each section, stand together: the first tells meaning and advice."""
    told = [problems[0]] if problems else []
    for before, problem in pairwise(problems):
        same = (problem.meaning, problem.advice) == (before.meaning, before.advice)
        told.append(replace(problem, meaning="", advice="") if same else problem)
    return told


def _table(
    name: str, report: dict[str, Any], tr: Translator, safe: Callable[[str], str], *, whole: bool
) -> Table:
    section = report[name]
    kind = "table" if whole else section.get("kind", "table")
    if kind == HEATMAP:
        section = gridded(section)
    rows = section["rows"]
    if name == "by_hour" and rows:
        rows = _filled(rows, report["zone"])
    keys, numbers = section["keys"], section["numbers"]
    return Table(
        name=name,
        title=tr(section["title"]),
        meaning=tr(section["meaning"]),
        problem=section["problem"],
        labels=tuple(Column(key["name"], tr(key["title"]), key["unit"]) for key in keys),
        numbers=tuple(Column(each["name"], tr(each["title"]), each["unit"]) for each in numbers),
        rows=tuple(_row(row, keys, numbers, tr, safe) for row in rows),
        total=section["rows_total"],
        evidence=safe(section.get("evidence") or ""),
        kind=kind,
    )


def _row(
    row: dict[str, Any],
    keys: Sequence[dict[str, Any]],
    numbers: Sequence[dict[str, Any]],
    tr: Translator,
    safe: Callable[[str], str],
) -> Row:
    return Row(
        number=row["row"],
        labels=tuple(safe(_label(row[key["name"]], key, tr)) for key in keys),
        figures=tuple(figures.shown(row[each["name"]], each["unit"]) for each in numbers),
        known=tuple(row[key["name"]] for key in keys),
        values=tuple(row[each["name"]] for each in numbers),
    )


def _label(value: Any, key: dict[str, Any], tr: Translator) -> str:
    shown = figures.shown(value, key["unit"])
    if key["unit"] == "word":
        return tr(shown)
    if key["unit"] == "weekday":
        return tr(WEEKDAYS[value - 1])
    if key["unit"] == "cause":
        return catalogue()[shown].text(tr.language).title if shown in catalogue() else shown
    if key["name"] in SENDERS:
        return shown or NO_SENDER
    if key["name"] == "reason" and " " not in shown:
        # qmail writes its reasons in one word.
        return shown.replace("_", " ")
    return shown


def _filled(rows: Sequence[dict[str, Any]], zone: str) -> list[dict[str, Any]]:
    """The hours with those in between in which nothing happened."""
    known = {datetime.fromisoformat(row["hour"]).astimezone(UTC): row for row in rows}
    filled = []
    at, last = min(known), max(known)
    while at <= last:
        local = at.astimezone(ZoneInfo(zone)).isoformat()
        filled.append(known.get(at) or {name: local if name == "hour" else 0 for name in rows[0]})
        at += timedelta(hours=1)
    return filled
