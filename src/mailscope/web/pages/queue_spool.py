"""The queue read from the spool itself, as far as a page asks of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from mailscope.language.phrase import Phrase
from mailscope.queues.actions import ACTIONS
from mailscope.queues.causes import Causes
from mailscope.queues.entry import DEFERRED, WAITING, QueueEntry, Recipient, Spool
from mailscope.queues.registry import BY_NAME, Mta, choose
from mailscope.queues.selection import Selection, seconds, size
from mailscope.queues.waits import waits
from mailscope.vocabulary.instants import naive
from mailscope.web.pages.grid import Column, Grid, of_rows
from mailscope.web.pages.visit import Visit

# Messages that are looked at for one page; of more, this is said.
MOST: Final = 50_000
USUAL_ROWS: Final = 50
MAIN_CF: Final = "main.cf"
# Upper ends of ages in minutes, as qshape(1) tells them.
AGES: Final = (5, 10, 20, 40, 80, 160, 320, 640, 1280)
FILTERS: Final = {
    "queue": Phrase("Queue"),
    "sender": Phrase("Sender"),
    "recipient": Phrase("Recipient"),
    "domain": Phrase("Recipient's domain"),
    "older": Phrase("Older than"),
    "larger": Phrase("Larger than"),
    "reason": Phrase("Reason"),
    "cause": Phrase("Cause"),
}
WORDS: Final = {
    "hold": Phrase("Hold"),
    "release": Phrase("Release"),
    "requeue": Phrase("Requeue"),
    "flush": Phrase("Deliver now"),
    "expire": Phrase("Return at the next attempt"),
    "bounce": Phrase("Return to sender"),
    "delete": Phrase("Delete"),
}
assert WORDS.keys() == ACTIONS.keys()


@dataclass
class Queue:
    """A spool and what is in it; ``troubles``: what could not be read; ``cut``: there are more.

    ``notes``: how it was read where not from its files.
    """

    mta: Mta
    spool: Spool
    entries: list[QueueEntry] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    cut: bool = False
    notes: list[str] = field(default_factory=list)


def opened(visit: Visit, selection: Selection | None = None, queues: tuple[str, ...] = ()) -> Queue:
    """The host's queue, or of it what is meant.  Raises InputError where there is none to read."""
    mta, where, config = _place(visit.site.settings().web.spool)
    troubles: list[str] = []
    notes: list[str] = []
    now = visit.now.replace(tzinfo=UTC).timestamp()
    tell, note = troubles.append, notes.append
    spool = Spool(where, now, tell, queues, visit.zone, config, asking=True, note=note)
    entries = Causes().judged(mta.read()(spool))
    if selection is not None:
        entries = (entry for entry in entries if selection.takes(entry, now))
    found = list(islice(entries, MOST + 1))
    return Queue(mta, spool, found[:MOST], troubles, len(found) > MOST, notes)


def _place(named: str) -> tuple[Mta, Path, Path | None]:
    """The MTA, its spool and the directory of its settings, where that is what the setting names."""
    place = Path(named) if named else None
    config = place if place is not None and (place / MAIN_CF).is_file() else None
    if config is not None:
        from mailscope.queues.postfix.config import read

        return BY_NAME["postfix"], read(config).spool, config
    return *choose(place, None), None


def asked(query: Mapping[str, str]) -> tuple[Selection, tuple[str, ...]]:
    """Which messages a query means, and of which queues.  Raises UsageError."""
    told = {name: query.get(name, "").strip() for name in (*FILTERS, "id")}

    def several(name: str) -> tuple[str, ...]:
        return (told[name],) if told[name] else ()

    selection = Selection(
        queue_ids=tuple(each for each in told["id"].split(",") if each),
        senders=several("sender"),
        recipients=several("recipient"),
        domains=several("domain"),
        older_than_s=seconds(told["older"], "older") if told["older"] else None,
        larger_than_bytes=size(told["larger"], "larger") if told["larger"] else None,
        reasons=several("reason"),
        causes=several("cause"),
    )
    return selection, several("queue")


def waiting(entry: QueueEntry) -> list[Recipient]:
    """The recipients that wait still."""
    return [each for each in entry.recipients if each.status in (WAITING, DEFERRED)]


def row_of(queue: Queue, entry: QueueEntry) -> dict[str, Any]:
    """A message as a row."""
    recipients = waiting(entry) or entry.recipients
    first = recipients[0] if recipients else None
    more = f" +{len(recipients) - 1}" if len(recipients) > 1 else ""
    put_off = next((each for each in recipients if each.reason), None)
    age = None if entry.arrival_time is None else max(0.0, queue.spool.now - entry.arrival_time)
    return {
        "queue_id": entry.queue_id,
        "queue": entry.queue,
        "age_s": age,
        "size_bytes": entry.size_bytes,
        "sender": entry.sender,
        "recipient": f"{first.recipient}{more}" if first else None,
        "next": _instant(entry.next_retry_time),
        "cause": put_off.cause if put_off else None,
        "reason": "; ".join([*([put_off.reason] if put_off else []), entry.reason, *entry.problems]).strip(
            "; "
        ),
    }


def _instant(seconds_: float | None) -> datetime | None:
    return None if seconds_ is None else naive(datetime.fromtimestamp(seconds_, UTC))


def messages(visit: Visit, queue: Queue, name: str = "queue") -> Grid:
    """Messages, the oldest first."""
    tr = visit.tr
    columns = (
        Column("queue_id", tr("Queue id")),
        Column("queue", tr("Queue")),
        Column("age_s", tr("Age"), "seconds"),
        Column("size_bytes", tr("Size"), "bytes"),
        Column("sender", tr("Sender"), "address"),
        Column("recipient", tr("Recipient"), "address"),
        Column("next", tr("Next try"), "time"),
        Column("cause", tr("Cause"), "cause"),
        Column("reason", tr("Reason")),
    )
    entries = sorted(queue.entries, key=lambda entry: entry.arrival_time or 0.0)
    rows = [row_of(queue, entry) for entry in entries[: visit.top(name, USUAL_ROWS)]]
    links = {
        "queue_id": lambda row: visit.link("/messages", q=row["queue_id"], range="28d"),
        "cause": lambda row: f"/causes/{row['cause']}" if row["cause"] else None,
    }
    return of_rows(
        visit, name, tr("Messages"), columns, rows, links, total=len(entries),
        empty=tr("No message in the queue is meant."),
    )  # fmt: skip


def shape(visit: Visit, queue: Queue) -> Grid:
    """Counts by recipient domain and age, as qshape(1) lays them out."""
    names = [*(str(age) for age in AGES), f"{AGES[-1]}+"]
    counts: dict[str, Counter[str]] = {}
    for entry in queue.entries:
        age = 0.0 if entry.arrival_time is None else (queue.spool.now - entry.arrival_time) / 60
        bucket = next((str(end) for end in AGES if age < end), names[-1])
        for domain in {each.recipient.rpartition("@")[2].lower() for each in waiting(entry)}:
            counts.setdefault(domain, Counter()).update(("total", bucket))
    tr = visit.tr
    rows = [
        {"domain": domain, "total": found["total"], **{name: found[name] for name in names}}
        for domain, found in sorted(counts.items(), key=lambda item: (-item[1]["total"], item[0]))
    ]
    columns = (
        Column("domain", tr("Domain")),
        Column("total", tr("All"), "count"),
        *(Column(name, name if "+" in name else f"< {name}", "count") for name in names),
    )
    links = {name: lambda row: visit.here(domain=row["domain"]) for name in ("domain", "total")}
    title = tr("By recipient domain and age (minutes)")
    return of_rows(
        visit, "shape", title, columns, rows[: visit.top("shape", 20)], links, total=len(rows),
        empty=tr("Nothing waits."),
    )  # fmt: skip


def causes(visit: Visit, queue: Queue) -> Grid:
    """Why mail waits."""
    tr = visit.tr
    found = waits(queue.entries)
    rows = [
        {
            "cause": wait.cause,
            "recipients": wait.recipients,
            "messages": wait.messages,
            "oldest": None if wait.oldest is None else queue.spool.now - wait.oldest,
            "domains": ", ".join(domain for domain, _ in wait.most()[:3]),
        }
        for wait in found
    ]
    columns = (
        Column("cause", tr("Cause"), "cause"),
        Column("recipients", tr("Recipients"), "count"),
        Column("messages", tr("Messages"), "count"),
        Column("oldest", tr("Oldest"), "seconds"),
        Column("domains", tr("Domains")),
    )
    links = {
        "cause": lambda row: f"/causes/{row['cause']}",
        "recipients": lambda row: visit.here(cause=row["cause"]),
        "messages": lambda row: visit.here(cause=row["cause"]),
    }
    title = tr("Why it waits")
    return of_rows(
        visit, "queue_causes", title, columns, rows[: visit.top("queue_causes", 20)], links, total=len(rows),
        empty=tr("Nothing waits."),
    )  # fmt: skip
