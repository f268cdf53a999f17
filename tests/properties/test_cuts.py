"""Messages, recipients and links are the same however the lines are cut into batches, and they are right.

Logs are made of few queue ids that are used again and again, with gaps around the limits that matter, and
with lines missing and late.  What must come of them is told by ``oracle.py``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Line, Oracle
from running import NOW, examples, ordered, pipeline, rounded, source

from mailscope.recognise.events import Events
from mailscope.trails.partial import PartialTracker, PartsDoNotJoin, join
from mailscope.trails.tracker import Outcome, Tracker

START = datetime(2026, 9, 1, 12)
IDS = ("4FA1B2C3D4", "4FA1B2C3D5", "A1B2C3")
HOSTS = ("mx1", "mx1", "mx1", "mx2")
GAPS_S = (0, 0, 0, 1, 1, 30, 200, 299, 301, 3600, 86_400 * 3, 86_400 * 8, -2)
TEXTS = {
    "accepted": "postfix/smtpd[1]: {id}: client=c.example.org[192.0.2.1]",
    "picked_up": "postfix/pickup[2]: {id}: uid=0 from=<root>{orig}",
    "identified": "postfix/cleanup[3]: {id}: message-id=<{message_id}>",
    "queued": "postfix/qmgr[4]: {id}: from=<{sender}>, size={size}, nrcpt={count} (queue active)",
    "attempted": "postfix/smtp[5]: {id}: to=<{recipient}>, relay=r.example.org[192.0.2.9]:25, delay=1.5,"
    " delays=0.5/0/0/1, dsn=2.0.0, status={status} ({reply})",
    "removed": "postfix/qmgr[4]: {id}: removed",
    "deleted": "postfix/postsuper[6]: {id}: removed",
    "held": "postfix/postsuper[6]: {id}: placed on hold",
    "released": "postfix/postsuper[6]: {id}: released from hold",
    "expired": "postfix/qmgr[4]: {id}: from=<s@example.org>, status=expired, returned to sender",
    "refused": "postfix/cleanup[3]: {id}: milter-reject: END-OF-MESSAGE from c.example.org[192.0.2.1]: 5.7.1 no;"
    " from=<s@example.org> to=<r1@example.org> proto=ESMTP helo=<c.example.org>",
    "discarded": "postfix/cleanup[3]: {id}: milter-discard: END-OF-MESSAGE from c.example.org[192.0.2.1]: no;"
    " from=<s@example.org> to=<r1@example.org> proto=ESMTP helo=<c.example.org>",
    "noted": "postfix/bounce[7]: {id}: sender non-delivery notification: 4FA1B2C3DF",
}
COMMON = ("accepted", "identified", "queued", "attempted", "attempted", "removed")
KINDS = (*COMMON, *COMMON, *TEXTS)
COLUMNS = (
    "host", "queue_id", "first_time", "last_time", "sender", "size_bytes", "recipient_count", "message_id", "origin",
    "ended", "expired", "held", "refused", "deferred", "filtered",
)  # fmt: skip


@st.composite
def logs(draw: st.DrawFn) -> list[Line]:
    """Lines of a log in the order in which they were written."""
    time, lines = START, []
    for number in range(draw(st.integers(1, 30))):
        time += timedelta(seconds=draw(st.sampled_from(GAPS_S)))
        kind = draw(st.sampled_from(KINDS))
        fields: dict[str, Any] = {}
        if kind == "picked_up" and draw(st.booleans()):
            fields["orig_id"] = draw(st.sampled_from(IDS))
        elif kind == "identified":
            fields["message_id"] = f"{number}@example.org"
        elif kind == "queued":
            fields |= {"sender": f"s{number % 3}@example.org", "size": 100 + number, "count": 1 + number % 3}
        elif kind == "attempted":
            fields["recipient"] = f"r{draw(st.integers(1, 2))}@example.org"
            fields["status"] = draw(st.sampled_from(("sent", "deferred", "bounced")))
            if fields["status"] == "sent" and draw(st.booleans()):
                fields["next_id"] = draw(st.sampled_from(IDS))
        lines.append(Line(time, draw(st.sampled_from(HOSTS)), draw(st.sampled_from(IDS)), kind, fields))
    return [
        line
        for line in lines
        if line.queue_id not in (line.fields.get("orig_id"), line.fields.get("next_id"))
    ]


def written(line: Line) -> str:
    """The line as Postfix and rsyslog write it."""
    fields = {"orig": "", "reply": "250 ok", **line.fields}
    if "orig_id" in fields:
        fields["orig"] = f" orig_id={fields['orig_id']}"
    if "next_id" in fields:
        fields["reply"] = (
            f"250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as {fields['next_id']}"
        )
    return f"{line.time:%Y-%m-%dT%H:%M:%S}+00:00 {line.host} {TEXTS[line.kind].format(id=line.queue_id, **fields)}\n"


@lru_cache(maxsize=1)
def folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory()


def parsed(data: str) -> Events:
    """All lines as one piece."""
    path = Path(folder().name) / "mail.log"
    path.write_text(data)
    batches = list(pipeline([source(path, mtime=NOW)]).batches())
    assert len(batches) == len(batches[0]) == 1
    return batches[0][0]


def followed(tracker: Tracker, events: Events, bounds: list[int]) -> list[Outcome]:
    """What the tracker makes of the lines, cut at these places."""
    numbers = pl.int_range(len(events.raw), dtype=pl.UInt32, eager=True)
    pieces = [(numbers >= begin) & (numbers < end) for begin, end in zip(bounds, bounds[1:], strict=False)]
    return [tracker.feed([events.select(piece)]) for piece in pieces]


def rows(outcomes: list[Outcome]) -> dict[str, list[tuple[Any, ...]]]:
    """Messages, recipients, attempts and links, in a form that can be compared."""

    def table(name: str) -> list[dict[str, Any]]:
        frames = [frame for outcome in outcomes if len(frame := getattr(outcome, name))]
        return [row for frame in frames for row in frame.iter_rows(named=True)]

    messages = table("messages")
    names = {row["trail"]: (row["host"], row["queue_id"], row["first_time"]) for row in messages}
    assert len(names) == len(messages)
    attempt = ("time", "queue_id", "recipient", "status", "sender", "size_bytes")
    return {
        "messages": ordered(tuple(row[name] for name in COLUMNS) for row in messages),
        "recipients": ordered(
            (*names[row["trail"]], row["recipient"], row["fate"], row["attempts"], row["recipients"])
            for row in table("recipients")
        ),
        "deliveries": ordered(tuple(rounded(row[name]) for name in attempt) for row in table("deliveries")),
        "links": ordered(
            (*names[row["trail"]], *names[row["trail_to"]], row["time"])
            for row in table("links")
            # Those between hosts have rules, and tests, of their own (test_five_hosts_links.py).
            if row["kind"] == "filtered"
        ),
    }


def expected(lines: list[Line]) -> dict[str, list[tuple[Any, ...]]]:
    """The same by the plain rules."""
    oracle = Oracle()
    for line in lines:
        oracle.read(line)
    told = oracle.told
    return {
        "messages": ordered(message.row() for message in told.messages),
        "recipients": ordered(
            (*message.name, *fate) for message in told.messages for fate in message.fates()
        ),
        "deliveries": ordered(told.deliveries),
        "links": ordered((*one.name, *other.name, time) for one, other, time in told.links),
    }


QMAIL = {
    "accepted": "new msg {id}",
    "queued": "info msg {id}: bytes {size} from <{sender}> qp 12 uid 89",
    "started": "starting delivery {number}: msg {id} to {transport} {recipient}",
    "ended": "delivery {number}: {report}",
    "removed": "end msg {id}",
    "noted": "bounce msg {id} qp 77",
    "discarded": "triple bounce: discarding bounce/{id}",
}
REPORTS = {"sent": "success: did_1+0+0/", "deferred": "deferral: later/", "bounced": "failure: no_such_user/"}


@st.composite
def qmail_logs(draw: st.DrawFn) -> list[Line]:
    """The same for qmail, whose ids and delivery numbers are used again at once."""
    time, lines = START, []
    for number in range(draw(st.integers(1, 30))):
        time += timedelta(seconds=draw(st.sampled_from(GAPS_S)))
        kind = draw(st.sampled_from(("accepted", "queued", "started", "started", "ended", "ended", *QMAIL)))
        fields: dict[str, Any] = {}
        if kind == "queued":
            fields |= {"sender": f"s{number % 3}@example.org", "size": 100 + number, "count": None}
        elif kind in ("started", "ended"):
            fields["number"] = draw(st.integers(1, 3))
            fields["recipient"] = f"r{draw(st.integers(1, 2))}@example.org"
            fields["transport"] = draw(st.sampled_from(("local", "remote")))
            fields["status"] = draw(st.sampled_from(tuple(REPORTS)))
            fields["report"] = REPORTS[fields["status"]]
        lines.append(
            Line(time, draw(st.sampled_from(HOSTS)), draw(st.sampled_from(("18995", "7"))), kind, fields)
        )
    return lines


def written_by_qmail(line: Line) -> str:
    """The line as splogger and rsyslog write it."""
    text = QMAIL[line.kind].format(id=line.queue_id, **line.fields)
    return f"{line.time:%Y-%m-%dT%H:%M:%S}+00:00 {line.host} qmail: {text}\n"


def with_messages(lines: list[Line]) -> list[Line]:
    """The ends of deliveries with the messages that their starts named; those without a start are left out."""
    under_way: dict[tuple[str, int], Line] = {}
    out = []
    for line in lines:
        if line.kind not in ("started", "ended"):
            out.append(line)
            continue
        number = (line.host, line.fields["number"])
        if line.kind == "started":
            under_way[number] = line
            out.append(Line(line.time, line.host, line.queue_id, "noted"))
        elif start := under_way.pop(number, None):
            fields = {"recipient": start.fields["recipient"], "status": line.fields["status"]}
            out.append(Line(line.time, line.host, start.queue_id, "attempted", fields))
    return out


def check(lines: list[Line], text: str, wanted: dict[str, list[tuple[Any, ...]]], cuts: list[int]) -> None:
    """Hold the trackers against what is expected, for the log as a whole and cut into batches."""
    events = parsed(text)
    assert not len(events.unrecognised)
    for bounds in ([0, len(lines)], sorted({0, *cuts, len(lines)})):
        tracker = Tracker()
        outcomes = [*followed(tracker, events, bounds), tracker.finish()]
        assert rows(outcomes) == wanted


def check_parts(lines: list[Line], text: str, wanted: dict[str, list[tuple[Any, ...]]], cut: int) -> None:
    """The parts followed apart from each other and joined give the same, or say that they cannot be joined.

    Not so the links, which no report counts.
    """
    events = parsed(text)
    first, second = Tracker(detail=False), PartialTracker(detail=False, next_trail=1 << 48)
    outcomes = [*followed(first, events, [0, cut]), *followed(second, events, [cut, len(lines)])]
    try:
        outcomes.append(join(first, second))
    except PartsDoNotJoin:
        return
    outcomes.append(first.finish())
    joined = rows([replace(outcome, links=outcome.links.clear()) for outcome in outcomes])
    assert without_details(joined) == without_details({**wanted, "links": []})


def without_details(told: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """Without what is not followed in parts: Message-IDs, and which messages came back from a filter."""
    left = [at for at, name in enumerate(COLUMNS) if name not in ("message_id", "filtered")]
    return {**told, "messages": ordered(tuple(row[at] for at in left) for row in told["messages"])}


@settings(max_examples=examples(30), deadline=None)
@given(qmail_logs(), st.lists(st.integers(0, 30), max_size=4))
def test_qmails_messages_and_deliveries_too(lines: list[Line], cuts: list[int]) -> None:
    text = "".join(map(written_by_qmail, lines))
    wanted = expected(with_messages(lines))
    for row in range(len(wanted["messages"])):
        # What took the message in is called after the program.
        message = list(wanted["messages"][row])
        message[8] = message[8] and "qmail-send"
        wanted["messages"][row] = tuple(message)
    wanted["messages"] = ordered(wanted["messages"])
    check(lines, text, wanted, [min(cut, len(lines)) for cut in cuts])


@settings(max_examples=examples(30), deadline=None)
@given(logs(), st.lists(st.integers(0, 30), max_size=4))
def test_messages_are_followed_by_the_rules_wherever_the_log_is_cut(
    lines: list[Line], cuts: list[int]
) -> None:
    if lines:
        check(lines, "".join(map(written, lines)), expected(lines), [min(cut, len(lines)) for cut in cuts])


@settings(max_examples=examples(30), deadline=None)
@given(logs(), st.integers(0, 30))
def test_two_parts_of_a_log_make_up_the_whole(lines: list[Line], cut: int) -> None:
    if lines:
        check_parts(lines, "".join(map(written, lines)), expected(lines), min(cut, len(lines)))
