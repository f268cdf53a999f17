"""Everything about one thing: an address on the network, a network, a mail address, a user, a domain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.errors import UsageError
from mailscope.vocabulary.instants import naive
from mailscope.vocabulary.shown import safe
from mailscope.web import questions
from mailscope.web.pages.grid import Column, Grid, of_rows
from mailscope.web.pages.page import Context, Page
from mailscope.web.pages.visit import Visit

KINDS: Final = ("", "ip", "network", "address", "user", "domain")
OTHERS: Final = {
    "user": Phrase("Users seen with it"),
    "client_ip": Phrase("Client addresses seen with it"),
    "client_host": Phrase("Client names seen with it"),
    "sender": Phrase("Senders seen with it"),
    "recipient": Phrase("Recipients seen with it"),
    "helo": Phrase("HELO names seen with it"),
    "target_user": Phrase("Users that it became"),
}
SUBJECTS: Final = {
    "user": "user",
    "client_ip": "ip",
    "sender": "address",
    "recipient": "address",
    "target_user": "user",
}


@dataclass(frozen=True)
class About(Context):
    """``nature``: what kind of thing it is; ``facts``: name and value; ``lines``: the first and last."""

    subject: str
    kind: str
    kinds: Sequence[str]
    nature: str
    facts: Sequence[tuple[str, str]]
    tables: Sequence[Grid]
    lines: Sequence[tuple[str, Sequence[str]]]


def show(visit: Visit) -> About:
    """What the page shows.  Raises UsageError for what is nothing, or nothing that the viewer may see."""
    subject, kind = visit.asked("subject"), visit.asked("kind")
    if kind not in KINDS:
        raise UsageError(f"there is no kind '{kind[:20]}'", "kind", f"there are {', '.join(KINDS[1:])}")
    if not subject:
        return About("", "", KINDS, "", (), (), ())
    visit.audit("about", subject)
    span = questions.Span(visit.span.since, visit.span.until)
    top, only = visit.top("messages", 10), visit.viewer.only
    told = questions.about(visit.reader, span, subject, kind or None, top, only)
    tr = visit.tr
    facts = [
        (tr("Lines"), f"{told['lines']:,}"),
        (tr("First line"), _when(visit, told["first"])),
        (tr("Last line"), _when(visit, told["last"])),
        *((tr("recipients: {fate}", fate=tr(fate)), f"{count:,}") for fate, count in told["fates"].items()),
    ]
    lines = told["lines_shown"] if visit.viewer.may("lines") else {}
    return About(
        safe(told["subject"]),
        told["kind"],
        KINDS,
        ", ".join(told["nature"]),
        facts,
        list(_tables(visit, told)),
        [(name, tuple(found)) for name, found in lines.items() if found],
    )


def _when(visit: Visit, text: str | None) -> str:
    return visit.told_time(_instant(text)) if text else "-"


def _instant(text: str) -> datetime:
    return naive(datetime.fromisoformat(text))


def _timed(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows with their instants as such."""
    return [
        {
            name: _instant(value) if name in ("first", "last", "time") and value else value
            for name, value in row.items()
        }
        for row in rows
    ]


def _tables(visit: Visit, told: Mapping[str, Any]) -> Iterable[Grid]:
    tr = visit.tr
    first, last = Column("first", tr("First"), "time"), Column("last", tr("Last"), "time")
    count = Column("count", tr("Lines"), "count")
    subject = told["subject"]
    filters = {"ip": "ip", "user": "user"}.get(told["kind"], "text")

    def events(row: Mapping[str, Any]) -> str | None:
        if not visit.viewer.may("lines"):
            return None
        return visit.link("/lines", event=row["event"], service=row.get("service"), **{filters: subject})

    yield of_rows(
        visit,
        "happened",
        tr("What happened"),
        (
            Column("service", tr("Service")),
            Column("event", tr("Event")),
            Column("result", tr("Result")),
            count,
            first,
            last,
        ),
        _timed(told["happened"]),
        {"count": events, "event": events},
    )
    if told["causes"]:
        yield of_rows(
            visit,
            "causes",
            tr("Why mail was refused or not delivered"),
            (Column("event", tr("Event")), Column("cause", tr("Cause"), "cause"), count, last),
            _timed(told["causes"]),
            {"cause": lambda row: f"/causes/{row['cause']}" if visit.viewer.may("look") else None},
        )
    for name, title in OTHERS.items():
        if found := told["others"].get(name):
            yield _others(visit, name, title, found, last)
    if told["notable"]:
        yield of_rows(
            visit,
            "notable",
            tr("Logins to note"),
            (
                Column("time", tr("Time"), "time"),
                Column("what", tr("What")),
                Column("with", tr("With")),
                Column("service", tr("Service")),
                Column("failures", tr("Failures"), "count"),
            ),
            _timed(told["notable"]),
            {"time": lambda row: f"/lines/around?at={row['time'].isoformat()}Z" if row["time"] else None},
        )
    if told["messages"]:
        rows = [
            {
                **row,
                "recipient": ", ".join(
                    f"{each['recipient']} ({tr(each['fate'])})" for each in row["recipients"][:3]
                ),
            }
            for row in _timed(told["messages"])
        ]
        yield of_rows(
            visit,
            "messages",
            tr("Latest messages"),
            (
                Column("first", tr("Time"), "time"),
                Column("queue_id", tr("Queue id")),
                Column("sender", tr("Sender"), "address"),
                Column("recipient", tr("Recipients"), "address"),
                Column("size_bytes", tr("Size"), "bytes"),
            ),
            reversed(rows),
            {"queue_id": lambda row: visit.link("/messages", q=row["queue_id"]) if row["queue_id"] else None},
            total=told["messages_total"],
        )


def _others(visit: Visit, name: str, title: str, found: Mapping[str, Any], last: Column) -> Grid:
    """Who else is named with it."""
    tr, kind = visit.tr, SUBJECTS.get(name)

    def link(row: Mapping[str, Any]) -> str | None:
        return visit.link("/about", subject=row["value"], kind=kind) if kind else None

    columns = (
        Column("value", tr("Name"), "address" if kind == "address" else "text"),
        Column("count", tr("Lines"), "count"),
        Column("bad", tr("Refused"), "count"),
        last,
    )
    rows = _timed(found["rows"])
    return of_rows(visit, f"others_{name}", tr(title), columns, rows, {"value": link}, total=found["total"])


PAGE: Final = Page("about", "/about", Phrase("About"), "about.html", show, "look up", "7d", limited=True)
