"""What detections found; one finding with its evidence, advice, and what people do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, get_args

from mailscope.language.phrase import Phrase
from mailscope.store import findings
from mailscope.vocabulary.errors import UsageError
from mailscope.vocabulary.shown import safe
from mailscope.watch.told import HANDLED, MEANING, figure
from mailscope.web.pages.grid import Cell, Column, Grid, of_rows
from mailscope.web.pages.page import Context, Page
from mailscope.web.pages.visit import Visit

STATES: Final = {"open": Phrase("open"), "over": Phrase("over"), "all": Phrase("all")}
MOST: Final = 200
ID_LENGTH: Final = 4
MUTES: Final = {
    "1": Phrase("for a day"),
    "7": Phrase("for a week"),
    "28": Phrase("for four weeks"),
    "": Phrase("for good"),
}
MOST_WORDS: Final = 2_000
LINKED: Final = {
    "client_ip": "subject",
    "network": "subject",
    "user": "subject",
    "sender": "subject",
    "domain": "subject",
}


@dataclass(frozen=True)
class Findings(Context):
    """``states``: those that may be shown: name, words, where it leads."""

    found: Grid
    states: Sequence[tuple[str, str, str]]
    state: str


def listed(visit: Visit, statement: str, name: str, title: str) -> Grid:
    """Findings of a statement as a table."""
    from mailscope.watch.rows import phrases

    tr = visit.tr
    rows = []
    for row in visit.found(statement):
        title_, _ = phrases(row)
        rows.append(
            {
                **row,
                "title": safe(tr(title_)),
                "handled": row["acknowledged_by"] or "",
                "muted": row["muted_until"],
            }
        )
    columns = (
        Column("severity", tr("Severity"), "severity"),
        Column("title", tr("What was found")),
        Column("state", tr("State"), "word"),
        Column("first_time", tr("Since"), "time"),
        Column("last_time", tr("Last"), "time"),
        Column("handled", tr("Acknowledged by")),
    )
    shown = rows[: visit.top(name, MOST)]
    return of_rows(
        visit,
        name,
        title,
        columns,
        shown,
        {"title": lambda row: f"/findings/{row['id']}"},
        total=len(rows),
        empty=tr("Nothing was found. Detections are described in docs/detections.md."),
    )


def show(visit: Visit) -> Findings:
    """What the page shows."""
    state = visit.asked("state") or "open"
    if state not in STATES:
        raise UsageError(
            Phrase("there is no state '{state}'", state=state[:20]),
            "state",
            Phrase("there are {kinds}", kinds=", ".join(STATES)),
        )
    visit.audit("findings", state)
    statement = findings.listing(state, "info", visit.asked("detection") or None, None, 1_000)
    return Findings(
        listed(visit, statement, "findings", ""),
        [(name, visit.tr(words), visit.here(state=name)) for name, words in STATES.items()],
        state,
    )


@dataclass(frozen=True)
class Finding(Context):
    """One finding; ``meaning``: what its detection sees, why it matters, what to do."""

    id: str
    title: str
    severity: str
    facts: Sequence[tuple[str, Cell]]
    reasons: Sequence[str]
    meaning: Sequence[str]
    commands: Sequence[str]
    lines: Grid
    done: Grid
    mutes: Sequence[tuple[str, str]]
    may_handle: bool
    muted: bool


def show_one(visit: Visit) -> Finding:
    """What the page shows.  Raises UsageError where there is no such finding."""
    from mailscope.watch.commands import filled
    from mailscope.watch.registry import abouts
    from mailscope.watch.rows import phrases

    row = _one(visit)
    visit.audit("findings", row["id"])
    told = findings.plain(row)
    title, reasons = phrases(row)
    tr = visit.tr
    about = next((each for each in abouts() if each.name == told["detection"]), None)
    meaning = [tr(words, words=tr(getattr(about, name))) for name, words in MEANING.items()] if about else []
    commands = [made for each in about.commands if (made := filled(each, told["subject"]))] if about else []
    return Finding(
        told["id"],
        safe(tr(title)),
        told["severity"],
        _facts(visit, row, told),
        [safe(tr(reason)) for reason in reasons],
        meaning,
        commands,
        _lines(visit, told),
        _done(visit, told["id"]),
        [(days, tr(words)) for days, words in MUTES.items()],
        visit.viewer.may("handle"),
        bool(row["muted_until"]),
    )


def _one(visit: Visit) -> dict[str, Any]:
    name = visit.query["finding"]
    if len(name) < ID_LENGTH:
        raise UsageError(
            Phrase("a finding's id has at least four characters"), name, Phrase("see the page Findings")
        )
    return findings.only(findings.answer(visit.reader, findings.one(name)), name)


def _facts(visit: Visit, row: Mapping[str, Any], told: Mapping[str, Any]) -> list[tuple[str, Cell]]:
    tr = visit.tr
    facts = [
        (
            tr("Detection"),
            Cell(
                told["detection"],
                told["detection"],
                visit.link("/findings", detection=told["detection"], state="all"),
            ),
        ),
        (tr("State"), Cell(told["state"], tr(told["state"]))),
    ]
    for name, words in (
        ("first_time", tr("Since")),
        ("last_time", tr("Last")),
        ("over_time", tr("Over since")),
        ("muted_until", tr("Muted until")),
    ):
        if row[name] is not None:
            facts.append((words, Cell(row[name].isoformat() + "Z", visit.told_time(row[name]), unit="time")))
    around = visit.within(row["first_time"], timedelta(0))
    for name, value in told["subject"].items():
        href = visit.link("/about", around, subject=value) if name in LINKED else ""
        facts.append((name.replace("_", " "), Cell(value, safe(str(value)), href)))
    facts += [(figure(tr, name), Cell(value, safe(str(value)))) for name, value in told["figures"].items()]
    return facts


def _lines(visit: Visit, told: Mapping[str, Any]) -> Grid:
    """The lines that show it; each leads to those around it."""
    rows = [
        {"time": datetime.fromisoformat(line["time"]).replace(tzinfo=None), "raw": line["raw"]}
        for line in told["lines"]
    ]
    tr = visit.tr
    return of_rows(
        visit,
        "evidence",
        tr("Lines that show it"),
        (Column("time", tr("Time"), "time"), Column("raw", tr("Line"), "raw")),
        rows if visit.viewer.may("lines") else [],
        {"time": lambda row: f"/lines/around?at={row['time'].isoformat()}Z"},
    )


def _done(visit: Visit, name: str) -> Grid:
    tr = visit.tr
    rows = [
        {**row, "action": tr(HANDLED.get(row["action"], row["action"]))}
        for row in visit.found(findings.history(name))
    ]
    return of_rows(
        visit,
        "done",
        tr("What was done"),
        (
            Column("time", tr("Time"), "time"),
            Column("action", tr("Action")),
            Column("author", tr("Author"), "address"),
            Column("words", tr("Why")),
            Column("muted_until", tr("Until"), "time"),
        ),
        rows,
        empty=tr("Nobody has done anything about it."),
    )


def handle(visit: Visit, form: Mapping[str, str]) -> str:
    """Note what is done about a finding."""
    action: Any = form.get("action", "")
    if action not in get_args(findings.Action):
        raise UsageError(Phrase("this cannot be done"), "action", Phrase("acknowledge, mute, unmute or note"))
    name = _one(visit)["id"]
    until = None
    if action == "muted" and (days := form.get("days", "")):
        if days not in MUTES:
            raise UsageError(
                Phrase("it is muted for 1, 7 or 28 days, or for good"), "days", Phrase("choose one")
            )
        until = visit.now + timedelta(days=int(days))
    words = form.get("words", "")[:MOST_WORDS]
    author = visit.viewer.signature
    visit.site.service.add("handled", findings.handling(name, visit.now, action, author, words, until))
    return f"/findings/{name}"


PAGE: Final = Page("findings", "/findings", Phrase("Findings"), "findings.html", show, "security", usual="")
ONE: Final = Page(
    "finding",
    "/findings/{finding}",
    Phrase("Finding"),
    "finding.html",
    show_one,
    "security",
    usual="",
    menu=False,
    forms={"/findings/{finding}/handled": ("handle", handle)},
)
