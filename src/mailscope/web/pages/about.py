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
from mailscope.web.pages.grid import Column, Grid, Link, of_rows
from mailscope.web.pages.page import Context, Page
from mailscope.web.pages.span import HOUR, Span, whole
from mailscope.web.pages.visit import Visit
from mailscope.web.subject import about as newest

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
# The value of ``all`` by which every line of the span is read.
EVERYTHING: Final = "everything"
SUBJECTS: Final = {
    "user": "user",
    "client_ip": "ip",
    "sender": "address",
    "recipient": "address",
    "target_user": "user",
}


@dataclass(frozen=True)
class Bound:
    """Where the figures begin, if not with the span; pages with those before, and with all of the span."""

    since: datetime
    earlier: str
    everything: str


@dataclass(frozen=True)
class About(Context):
    """``nature``: what kind of thing it is; ``facts``: name and value; ``lines``: the first and last.

    ``bound``: from when on there is more than is shown (None: it is all).
    """

    subject: str
    kind: str
    kinds: Sequence[str]
    nature: str
    facts: Sequence[tuple[str, str]]
    tables: Sequence[Grid]
    lines: Sequence[tuple[str, Sequence[str]]]
    bound: Bound | None


def show(visit: Visit) -> About:
    """What the page shows.  Raises UsageError for what is nothing, or nothing that the viewer may see."""
    subject, kind = visit.asked("subject"), visit.asked("kind")
    if kind not in KINDS:
        raise UsageError(
            Phrase("there is no kind '{kind}'", kind=kind[:20]),
            "kind",
            Phrase("there are {kinds}", kinds=", ".join(KINDS[1:])),
        )
    if not subject:
        return About("", "", KINDS, "", (), (), (), None)
    visit.audit("about", subject)
    told = _told(visit, subject, kind or None)
    lines = told["lines_shown"] if visit.viewer.may("lines") else {}
    return About(
        safe(told["subject"]),
        told["kind"],
        KINDS,
        ", ".join(told["nature"]),
        _facts(visit, told),
        list(tables(visit, told)),
        [(name, tuple(found)) for name, found in lines.items() if found],
        _bound(visit, _instant(told["since"])) if told["since"] else None,
    )


def _told(visit: Visit, subject: str, kind: str | None) -> dict[str, Any]:
    """By the newest lines, or by all where that is asked for."""
    span, only = visit.span, visit.viewer.only
    top = visit.top("messages", 10)
    if visit.asked("all") != EVERYTHING:
        remembered = visit.site.remembered
        return newest(visit.reader, span.since, span.until, subject, kind, top, only, remembered)
    found = questions.about(visit.reader, questions.Span(span.since, span.until), subject, kind, top, only)
    return found | {"since": None}


def _bound(visit: Visit, since: datetime) -> Bound:
    earlier = Span(visit.span.since, min(whole(since) + HOUR, visit.span.until))
    told = {name: visit.query[name] for name in ("subject", "kind") if visit.query.get(name)}
    return Bound(since, visit.link("/about", earlier, **told), visit.here(all=EVERYTHING))


def _facts(visit: Visit, told: Mapping[str, Any]) -> list[tuple[str, str]]:
    tr = visit.tr
    return [
        (tr("Lines"), f"{told['lines']:,}"),
        (tr("First line"), _when(visit, told["first"])),
        (tr("Last line"), _when(visit, told["last"])),
        *((tr("recipients: {fate}", fate=tr(fate)), f"{count:,}") for fate, count in told["fates"].items()),
    ]


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


def tables(visit: Visit, told: Mapping[str, Any]) -> Iterable[Grid]:
    """The tables, as far as there is anything in them."""
    yield _happened(visit, told)
    if told["causes"]:
        yield _causes(visit, told["causes"])
    for name, title in OTHERS.items():
        if found := told["others"].get(name):
            yield _others(visit, name, title, found)
    if told["notable"]:
        yield _notable(visit, told["notable"])
    if told["messages"]:
        yield _messages(visit, told["messages"], told["messages_total"])


def _happened(visit: Visit, told: Mapping[str, Any]) -> Grid:
    """What lines tell of it."""
    tr, subject = visit.tr, told["subject"]
    filters = {"ip": "ip", "user": "user"}.get(told["kind"], "text")

    def events(row: Mapping[str, Any]) -> str | None:
        if not visit.viewer.may("lines"):
            return None
        return visit.link("/lines", event=row["event"], service=row.get("service"), **{filters: subject})

    columns = (
        Column("service", tr("Service")),
        Column("event", tr("Event")),
        Column("result", tr("Result")),
        Column("count", tr("Lines"), "count"),
        Column("first", tr("First"), "time"),
        Column("last", tr("Last"), "time"),
    )
    links = {"count": events, "event": events}
    return of_rows(visit, "happened", tr("What happened"), columns, _timed(told["happened"]), links)


def _causes(visit: Visit, found: Sequence[Mapping[str, Any]]) -> Grid:
    """Why its mail failed."""
    tr = visit.tr
    columns = (
        Column("event", tr("Event")),
        Column("cause", tr("Cause"), "cause"),
        Column("count", tr("Lines"), "count"),
        Column("last", tr("Last"), "time"),
    )
    title = tr("Why mail was refused or not delivered")
    links: dict[str, Link] = {
        "cause": lambda row: f"/causes/{row['cause']}" if visit.viewer.may("look") else None
    }
    return of_rows(visit, "causes", title, columns, _timed(found), links)


def _notable(visit: Visit, found: Sequence[Mapping[str, Any]]) -> Grid:
    """First logins, and those that went well after failures."""
    tr = visit.tr
    columns = (
        Column("time", tr("Time"), "time"),
        Column("what", tr("What")),
        Column("with", tr("With")),
        Column("service", tr("Service")),
        Column("failures", tr("Failures"), "count"),
    )
    links: dict[str, Link] = {
        "time": lambda row: f"/lines/around?at={row['time'].isoformat()}Z" if row["time"] else None
    }
    return of_rows(visit, "notable", tr("Logins to note"), columns, _timed(found), links)


def _messages(visit: Visit, found: Sequence[Mapping[str, Any]], total: int) -> Grid:
    """The latest first."""
    tr = visit.tr
    columns = (
        Column("first", tr("Time"), "time"),
        Column("queue_id", tr("Queue id")),
        Column("sender", tr("Sender"), "address"),
        Column("recipient", tr("Recipients"), "address"),
        Column("size_bytes", tr("Size"), "bytes"),
    )

    def recipients(row: Mapping[str, Any]) -> str:
        return ", ".join(f"{each['recipient']} ({tr(each['fate'])})" for each in row["recipients"][:3])

    rows = [{**row, "recipient": recipients(row)} for row in reversed(_timed(found))]
    links: dict[str, Link] = {
        "queue_id": lambda row: visit.link("/messages", q=row["queue_id"]) if row["queue_id"] else None
    }
    return of_rows(visit, "messages", tr("Latest messages"), columns, rows, links, total=total)


def _others(visit: Visit, name: str, title: str, found: Mapping[str, Any]) -> Grid:
    """Who else is named with it."""
    tr, kind = visit.tr, SUBJECTS.get(name)

    def link(row: Mapping[str, Any]) -> str | None:
        return visit.link("/about", subject=row["value"], kind=kind) if kind else None

    columns = (
        Column("value", tr("Name"), "address" if kind == "address" else "text"),
        Column("count", tr("Lines"), "count"),
        Column("bad", tr("Refused"), "count"),
        Column("last", tr("Last"), "time"),
    )
    rows = _timed(found["rows"])
    return of_rows(visit, f"others_{name}", tr(title), columns, rows, {"value": link}, total=found["total"])


PAGE: Final = Page("about", "/about", Phrase("About"), "about.html", show, "look up", "7d", limited=True)
