"""One message: what became of it, step by step, with the messages linked with it and the raw lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from mailscope.causes.catalogue import INCOMING, OUTGOING, Direction, catalogue
from mailscope.language.phrase import Phrase
from mailscope.reports import figures
from mailscope.trails.narrative.linked import KINDS, SURE, span
from mailscope.trails.narrative.session import facts as session_facts
from mailscope.trails.narrative.trail import Link, Recipient, Story, Trail
from mailscope.trails.narrative.words import outcome
from mailscope.vocabulary.errors import UsageError
from mailscope.vocabulary.shown import safe
from mailscope.web import questions
from mailscope.web.pages.grid import Column, Grid, of_rows
from mailscope.web.pages.page import Context, Page
from mailscope.web.pages.rows import Where
from mailscope.web.pages.visit import Visit
from mailscope.web.people import theirs

AROUND: Final = timedelta(minutes=1)
MOST_STORIES: Final = 50


@dataclass(frozen=True)
class Step:
    """What happened: when, how long after the step before, by which program, in words; the line itself."""

    time: datetime | None
    since: str
    daemon: str
    words: str
    status: str
    doubt: str
    raw: str
    around: str


@dataclass(frozen=True)
class OneTrail(Context):
    """``others``: messages that this one led to or came from, with what shows it."""

    name: str
    facts: Sequence[tuple[str, str]]
    times: Sequence[tuple[str, datetime | None]]
    recipients: Grid
    advice: Sequence[tuple[str, str, str]]
    others: Sequence[tuple[str, str, str]]
    stays: Sequence[tuple[str, Sequence[Step]]]
    lines: str


def show(visit: Visit) -> OneTrail:
    """What the page shows.  Raises UsageError where there is no such message."""
    row = _row(visit, visit.query["trail_id"])
    visit.audit("trace", str(row["queue_id"] or row["trail_id"]))
    story = _story(visit, row)
    main = next((each for each in story.trails if each.trail_id == row["trail_id"]), None)
    main = main or next((each for each in story.trails if each.matched), story.trails[0])
    tr = visit.tr
    facts = [
        (tr("Host"), main.host or "-"),
        (tr("Sender"), visit.masked(main.sender) if main.sender else "<>" if main.sender == "" else "-"),
        ("Message-ID", main.message_id or "-"),
        (tr("Size"), "-" if main.size_bytes is None else figures.size(main.size_bytes)),
        (tr("Ended"), tr(main.ended) if main.ended else tr("still in the queue when the log ends")),
        (
            tr("Client"),
            ", ".join(tr(fact) for fact in session_facts(main.session))
            if main.session
            else _client(visit, row),
        ),
    ]
    return OneTrail(
        tr("message {queue_id}", queue_id=safe(main.queue_id or main.trail_id)),
        [(name, visit.masked(safe(value))) for name, value in facts],
        [(tr("First line"), main.first_time), (tr("Last line"), main.last_time)],
        _recipients(visit, story),
        list(_advice(visit, story)),
        [
            _other(visit, story, trail, link)
            for trail in story.trails
            for link in trail.links
            if link.direction == "to"
        ],
        [_stay(visit, stay) for stay in story.steps()],
        _around(visit, main.first_time, main.host),
    )


def _client(visit: Visit, row: Mapping[str, Any]) -> str:
    names = ("client_host", "client_ip", *(("sasl_user",) if visit.viewer.party(row["sender"]) else ()))
    return ", ".join(str(row[name]) for name in names if row.get(name)) or "-"


def _row(visit: Visit, trail_id: str) -> dict[str, Any]:
    where = Where()
    where.add("trail_id = ?", trail_id)
    rows = visit.rows.recent("messages", "*", where, 1).to_dicts()
    if rows and visit.viewer.limited:
        tried = visit.rows.of_trails("deliveries", [trail_id], rows[0]["first_time"], datetime.max)
        if not visit.viewer.party(rows[0]["sender"], *tried["recipient"], *tried["orig_recipient"]):
            rows = []
    if not rows:
        raise UsageError(
            Phrase("there is no such message in the store"),
            trail_id[:40],
            Phrase("it may be too old: search for it"),
        )
    return rows[0]


def _story(visit: Visit, row: Mapping[str, Any]) -> Story:
    """The story that a message belongs to."""
    within = questions.Span(row["first_time"] - AROUND, (row["last_time"] or row["first_time"]) + AROUND)
    asked = row["queue_id"] or row["message_id"]
    if asked is None:
        raise UsageError(
            Phrase("no line names it by an id"), str(row["trail_id"]), Phrase("see the lines of its time")
        )
    told = questions.stories(
        visit.reader, within, asked, "queue-id" if row["queue_id"] else "message-id", MOST_STORIES
    )
    only = visit.viewer.only
    found = told.stories if only is None else theirs.stories(told.stories, only)
    for story in found:
        if any(trail.trail_id == row["trail_id"] for trail in story.trails):
            return story
    if not found:
        raise UsageError(
            Phrase("its lines are not in the store any more"),
            str(asked),
            Phrase("see [retention] in the settings"),
        )
    return found[0]


def _recipients(visit: Visit, story: Story) -> Grid:
    tr = visit.tr
    columns = (
        Column("recipient", tr("Recipient"), "address"),
        Column("status", tr("Status"), "status"),
        Column("attempts", tr("Tries"), "count"),
        Column("relay", tr("Relay")),
        Column("said", tr("Reply")),
        Column("cause", tr("Cause"), "cause"),
        Column("queue_id", tr("Queue id")),
    )
    rows = [
        {
            "recipient": recipient.recipient or tr("{n} recipients that no line names", n=recipient.count),
            "status": recipient.status,
            "attempts": len(recipient.attempts),
            **_last(visit, recipient),
            "queue_id": trail.queue_id,
        }
        for trail in story.trails
        for recipient in trail.recipients
    ]
    return of_rows(
        visit,
        "recipients",
        tr("Recipients"),
        columns,
        rows,
        {
            "cause": lambda row: (
                f"/causes/{row['cause']}" if row["cause"] and visit.viewer.may("look") else None
            )
        },
        empty=tr("none is named in the log"),
    )


def _last(visit: Visit, recipient: Recipient) -> dict[str, Any]:
    if not recipient.attempts:
        return {"relay": None, "said": None, "cause": None}
    last = recipient.attempts[-1]
    peer = last.fields.get("relay_host")
    said = visit.masked(visit.tr(outcome(last.fields | {"status": last.status})))
    return {"relay": peer, "said": said or None, "cause": last.fields.get("cause")}


def _advice(visit: Visit, story: Story) -> Iterator[tuple[str, str, str]]:
    """Each cause once: its title, what it means, and what to do."""
    told: set[str] = set()
    for trail in story.trails:
        for recipient in trail.recipients:
            name = str(recipient.attempts[-1].fields.get("cause")) if recipient.attempts else ""
            if recipient.status == "sent" or name in told or name not in catalogue():
                continue
            told.add(name)
            way: Direction = INCOMING if recipient.status == "rejected" else OUTGOING
            text = catalogue()[name].text(visit.tr.language, way)
            yield text.title, text.meaning, text.advice


def _other(visit: Visit, story: Story, trail: Trail, link: Link) -> tuple[str, str, str]:
    """What became of a message: in words, and where the other one is."""
    tr = visit.tr
    words = f"{trail.queue_id or trail.trail_id} {tr(KINDS[link.kind])} {link.queue_id or link.trail_id}"
    if link.after_s is not None:
        words += " " + tr("after {span}", span=span(link.after_s))
    known = any(other.trail_id == link.trail_id for other in story.trails)
    shown = f"{link.evidence} ({tr(SURE[link.confidence])})"
    return safe(words), visit.masked(safe(shown)), f"/messages/{link.trail_id}" if known else ""


def _stay(visit: Visit, stay: Sequence[tuple[Trail, Any]]) -> tuple[str, list[Step]]:
    """The steps on one host."""
    before: datetime | None = None
    steps = []
    many = len({trail.trail_id for trail, _ in stay}) > 1
    for trail, step in stay:
        since = "" if before is None or step.time is None else _since((step.time - before).total_seconds())
        before = step.time or before
        words = visit.tr(step.words)
        sure = step.confidence in (None, "certain")
        steps.append(
            Step(
                step.time,
                since,
                step.service or step.program or "-",
                visit.masked(f"{trail.queue_id}: {words}" if many and trail.queue_id else words),
                str(step.fields.get("status") or "") if step.event == "delivery_attempted" else "",
                "" if sure else visit.tr(SURE[step.confidence]),
                step.raw if visit.viewer.may("lines") else "",
                _around(visit, step.time, step.host),
            )
        )
    return stay[0][0].host or "-", steps


def _since(seconds: float) -> str:
    return ("-" if seconds < 0 else "+") + span(abs(seconds))


def _around(visit: Visit, time: datetime | None, host: str | None) -> str:
    if time is None or not visit.viewer.may("lines"):
        return ""
    return visit.link("/lines/around", at=time.isoformat() + "Z", host=host or "")


PAGE: Final = Page(
    "trail",
    "/messages/{trail_id}",
    Phrase("Message"),
    "trail.html",
    show,
    "look up",
    usual="",
    menu=False,
    limited=True,
)
