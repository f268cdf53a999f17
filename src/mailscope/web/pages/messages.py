"""Messages, and attempts to deliver them: found by what is known of them, the newest first.

Where something of a delivery is asked (recipient, domain, relay, status, cause), each row is an attempt, as
the figures of other pages count them; otherwise each row is a message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mailscope.language.phrase import Phrase
from mailscope.store.seeds import spellings
from mailscope.trails.search.query import Query, read_query
from mailscope.web.pages.grid import Column, Grid, of_rows
from mailscope.web.pages.page import Context, Page
from mailscope.web.pages.rows import Where
from mailscope.web.pages.visit import Visit

USUAL_ROWS: Final = 100
STATUSES: Final = {
    "sent": ("sent",),
    "deferred": ("deferred",),
    "bounced": ("bounced", "expired"),
    "expired": ("expired",),
    "failed": ("deferred", "bounced", "expired"),
}
# Filters of attempts and of messages: parameter -> condition.
OF_ATTEMPTS: Final = {
    "recipient": "lower(recipient) = lower(?)",
    "domain": "ends_with(lower(recipient), '@' || lower(?))",
    "relay": "relay_host = ?",
    "cause": "cause = ?",
    "dsn": "dsn_status = ?",
    "reason": "contains(lower(reason), lower(?))",
}
OF_BOTH: Final = {
    "sender": "lower(sender) = lower(?)",
    "sender_domain": "ends_with(lower(sender), '@' || lower(?))",
    "queue_id": "queue_id = ?",
    "host": "host = ?",
}
OF_MESSAGES: Final = {
    "message_id": "message_id = ?",
    "ip": "client_ip = ?",
    "client": "lower(client_host) = lower(?)",
    "user": "sasl_user = ?",
}
FILTERS: Final = {
    "sender": Phrase("Sender"),
    "recipient": Phrase("Recipient"),
    "domain": Phrase("Recipient's domain"),
    "status": Phrase("Status"),
    "cause": Phrase("Cause"),
    "relay": Phrase("Relay"),
    "ip": Phrase("Client address"),
    "user": Phrase("Login"),
}


@dataclass(frozen=True)
class Messages(Context):
    """``filters``: names of the fields of the form, with their words and values; ``subjects``: lines of the
    log that hold what was looked for, where no message is named so.
    """

    found: Grid
    filters: Sequence[tuple[str, str, str]]
    statuses: Sequence[str]
    sought: str
    subjects: str


def show(visit: Visit) -> Messages:
    """What the page shows."""
    asked = {name: visit.asked(name) for name in visit.query if visit.asked(name)}
    looked_for = {
        name: value
        for name, value in asked.items()
        if name in FILTERS or name in OF_ATTEMPTS or name in OF_BOTH or name in OF_MESSAGES or name == "q"
    }
    told = " ".join(f"{name}={value}" for name, value in looked_for.items())
    visit.audit("messages", told or "every message")
    of_attempts = any(name in OF_ATTEMPTS or name == "status" for name in looked_for)
    found = _attempts(visit, asked) if of_attempts else _messages(visit, asked)
    shown = [
        (name, visit.tr(words), asked.get(name, "")) for name, words in FILTERS.items() if name != "status"
    ]
    sought = asked.get("q", "")
    subjects = ""
    if sought and not found.rows and visit.viewer.may("lines"):
        subjects = visit.link("/lines", text=sought)
    return Messages(found, shown, tuple(STATUSES), asked.get("status", ""), subjects)


def seen(visit: Visit, columns: Sequence[str]) -> Where:
    """What a viewer of some domains may see: rows that name one of these in a column."""
    where = Where()
    if visit.viewer.limited:
        told = [f"ends_with(lower({column}), '@' || ?)" for column in columns for _ in visit.viewer.domains]
        values = [domain.lower() for _ in columns for domain in visit.viewer.domains]
        where.add(" or ".join(told) or "false", *values)
    return where


def _attempts(visit: Visit, asked: Mapping[str, str]) -> Grid:
    where = seen(visit, ("recipient", "sender"))
    for name, condition in (OF_ATTEMPTS | OF_BOTH).items():
        if name in asked:
            where.add(condition, asked[name])
    status = asked.get("status", "")
    if status:
        words = STATUSES.get(status, (status,))
        where.add(f"status in ({', '.join('?' for _ in words)})", *words)
    visit.weekly(where, "time")
    inner = Where()
    for name, condition in OF_MESSAGES.items():
        if name in asked:
            inner.add(condition, asked[name])
    rows = visit.rows
    if inner:
        trails = rows.newest("messages", "trail_id", inner, *_span(visit), 20_000)["trail_id"].to_list()
        where.add("trail_id in (select unnest(?::varchar[]))", trails)
    top = visit.top("deliveries", USUAL_ROWS)
    frame = rows.newest("deliveries", "*", where, *_span(visit), top)
    total = rows.count("deliveries", where, *_span(visit)) if len(frame) == top else len(frame)
    tr = visit.tr
    columns = (
        Column("time", tr("Time"), "time"),
        Column("queue_id", tr("Queue id")),
        Column("sender", tr("Sender"), "address"),
        Column("recipient", tr("Recipient"), "address"),
        Column("status", tr("Status"), "status"),
        Column("relay_host", tr("Relay")),
        Column("delay_s", tr("Delay"), "seconds"),
        Column("dsn_status", "DSN"),
        Column("cause", tr("Cause"), "cause"),
        Column("reason", tr("Reason")),
    )
    return of_rows(
        visit,
        "deliveries",
        tr("Delivery attempts"),
        columns,
        frame.iter_rows(named=True),
        {**_links(visit), "status": lambda row: _trail(visit, row)},
        total=total,
    )


def _messages(visit: Visit, asked: Mapping[str, str]) -> Grid:
    tr, rows = visit.tr, visit.rows
    where = Where()
    for name, condition in (OF_BOTH | OF_MESSAGES).items():
        if name in asked:
            where.add(condition, asked[name])
    visit.weekly(where, "first_time")
    if asked.get("q"):
        _sought(visit, where, asked["q"])
    if visit.viewer.limited:
        theirs, of_sender = seen(visit, ("recipient",)), seen(visit, ("sender",))
        trails = rows.newest("deliveries", "trail_id", theirs, *_span(visit), 20_000)["trail_id"].to_list()
        where.add(
            f"trail_id in (select unnest(?::varchar[])) or {of_sender.sql()}", trails, *of_sender.values
        )
    top = visit.top("messages", USUAL_ROWS)
    frame = rows.newest("messages", "*", where, *_span(visit), top)
    total = rows.count("messages", where, *_span(visit)) if len(frame) == top else len(frame)
    found = frame.to_dicts()
    fates = _fates(visit, found)
    for row in found:
        if not visit.viewer.party(row["sender"]):
            row["sasl_user"] = None
        row |= fates.get(row["trail_id"], {"recipient": None, "status": row["ended"] or "queued"})
        row["time"] = row["first_time"]
    columns = (
        Column("time", tr("Time"), "time"),
        Column("queue_id", tr("Queue id")),
        Column("sender", tr("Sender"), "address"),
        Column("recipient", tr("Recipient"), "address"),
        Column("status", tr("Status"), "status"),
        Column("size_bytes", tr("Size"), "bytes"),
        Column("client_host", tr("Client")),
        Column("client_ip", tr("Address")),
        Column("sasl_user", tr("Login"), "address"),
        Column("message_id", "Message-ID", "address"),
    )
    return of_rows(
        visit,
        "messages",
        tr("Messages"),
        columns,
        found,
        _links(visit),
        total=total,
        empty=tr("No message of this time is known so. Choose a longer time above."),
    )


def _fates(visit: Visit, found: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Recipients and the latest status of some messages."""
    if not found:
        return {}
    first = min(row["first_time"] for row in found)
    last = max(row["last_time"] or row["first_time"] for row in found)
    frame = visit.rows.of_trails("deliveries", [row["trail_id"] for row in found], first, last)
    fates: dict[str, dict[str, Any]] = {}
    for row in frame.sort("time").iter_rows(named=True):
        if not visit.viewer.party(row["sender"], row["recipient"], row["orig_recipient"]):
            # Who else got it is not for those who see some domains only.
            continue
        fate = fates.setdefault(row["trail_id"], {"recipients": {}})
        fate["recipients"][row["recipient"]] = row["status"]
    for fate in fates.values():
        told = fate["recipients"]
        bad = [status for status in told.values() if status != "sent"]
        fate["recipient"] = ", ".join(str(name) for name in list(told)[:3]) + (" …" if len(told) > 3 else "")
        fate["status"] = bad[0] if bad else "sent"
    return fates


def _sought(visit: Visit, where: Where, text: str) -> None:
    """What is looked for by its look: ids, an address, a domain, an IP."""
    query: Query = read_query(text, None)
    bare = query.text.strip("<>")
    attempts = Where()
    found = where.either
    if "queue-id" in query.kinds:
        found.append(("queue_id = ?", [query.text]))
    if "message-id" in query.kinds:
        found.append(("message_id = ?", [bare]))
    if "ip" in query.kinds:
        found.append(("client_ip = ?", [bare]))
    if "address" in query.kinds:
        with visit.reader.database.snapshot(views=False) as looking:
            spelt = sorted(spellings(looking, bare))
        marks = ", ".join("?" for _ in spelt)
        found.append((f"sender in ({marks})", spelt))
        attempts.either += [(f"{column} in ({marks})", spelt) for column in ("recipient", "orig_recipient")]
    if "domain" in query.kinds:
        name = bare.lstrip("@")
        found.append(("ends_with(lower(sender), '@' || lower(?))", [name]))
        attempts.add("ends_with(lower(recipient), '@' || lower(?))", name)
    if attempts:
        trails = visit.rows.newest("deliveries", "trail_id", attempts, *_span(visit), 2_000)["trail_id"]
        if len(trails):
            found.append(("trail_id in (select unnest(?::varchar[]))", [trails.unique().to_list()]))
    if not found:
        where.add("false")


def _span(visit: Visit) -> tuple[Any, Any]:
    return visit.span.since, visit.span.until


def _trail(visit: Visit, row: Mapping[str, Any]) -> str | None:
    return visit.link(f"/messages/{row['trail_id']}") if row.get("trail_id") else None


def _links(visit: Visit) -> dict[str, Any]:
    def trail(row: Mapping[str, Any]) -> str | None:
        return _trail(visit, row)

    def address(name: str) -> Any:
        return lambda row: (
            visit.link("/messages", q=row[name]) if row.get(name) and "@" in row[name] else None
        )

    return {
        "time": trail,
        "queue_id": trail,
        "sender": address("sender"),
        "recipient": lambda row: (
            visit.link("/messages", q=row["recipient"])
            if row.get("recipient") and "@" in row["recipient"] and ", " not in row["recipient"]
            else None
        ),
        "cause": lambda row: (
            f"/causes/{row['cause']}" if row.get("cause") and visit.viewer.may("look") else None
        ),
        "client_ip": lambda row: (
            visit.link("/about", subject=row["client_ip"]) if row.get("client_ip") else None
        ),
        "relay_host": lambda row: (
            visit.link("/messages", relay=row["relay_host"]) if row.get("relay_host") else None
        ),
    }


PAGE: Final = Page(
    "messages", "/messages", Phrase("Messages"), "messages.html", show, "look up", limited=True
)
