"""The queue: how many messages wait, and how long the oldest has waited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from mailscope.watch.checks.check import Check, Facts, Question, ago, counted, option
from mailscope.watch.checks.plugin import Figure, Measured

SHOWN_DOMAINS: Final = 5


@dataclass(frozen=True)
class Queue(Question):
    """Which messages."""

    queue: Literal["all", "active", "deferred", "hold"] = option("all", "Only messages of this queue.")
    older_than_s: float | None = option(None, "Only messages that have waited for so long.")
    domain: str | None = option(
        None, "Only messages put off for recipients of this domain (known once an attempt failed)."
    )
    sender: str | None = option(None, "Only messages from this sender address.")
    age: bool = option(False, "Hold the ranges against the age of the oldest message, in seconds.")


def measure(facts: Facts, asked: Queue) -> Measured:
    """What waits in the queue itself, where the daemon looks at it; of other hosts as far as lines tell."""
    from mailscope.watch.checks import queue_snapshot

    # A look at the queue keeps neither senders nor the age of each message.
    seen = None
    if asked.sender is None and asked.older_than_s is None:
        seen = queue_snapshot.waiting(facts, asked.queue, asked.domain)
    told = _by_lines(facts, asked, but_seen=seen is not None)
    if seen is None:
        return _measured(facts, asked, told)
    details = [
        f"{each.domain}: {counted(each.messages, 'message')} put off, the oldest since "
        f"{_age(facts, each.oldest or facts.now)}"
        for each in (queue_snapshot.domains(facts, SHOWN_DOMAINS) if asked.domain is None else [])
    ]
    oldest = min((each for each in (seen.oldest, told.oldest) if each is not None), default=None)
    both = Waiting(
        seen.messages + told.messages, seen.size_bytes + told.size_bytes, oldest, details + told.details
    )
    return _measured(facts, asked, both)


@dataclass(frozen=True)
class Waiting:
    """How many messages wait, their size, since when the oldest does (naive UTC), and more in words."""

    messages: int
    size_bytes: int
    oldest: datetime | None
    details: list[str]


def _by_lines(facts: Facts, asked: Queue, *, but_seen: bool) -> Waiting:
    """Messages that were taken in and have not left; ``but_seen``: not of hosts whose queue is looked at."""
    from mailscope.vocabulary.tables import DELIVERIES
    from mailscope.watch.metrics.kept import IN_QUEUE, NOT_SEEN

    conditions, values = [IN_QUEUE], list[Any]()
    if but_seen:
        conditions.append(NOT_SEEN)
        values.append(facts.now)
    if asked.queue != "all":
        conditions.append("case when held then 'hold' when deferred then 'deferred' else 'active' end = ?")
        values.append(asked.queue)
    if asked.older_than_s is not None:
        conditions.append("first_time <= ?")
        values.append(facts.since(asked.older_than_s))
    if asked.sender is not None:
        conditions.append("lower(sender) = lower(?)")
        values.append(asked.sender)
    waiting = f"select * from hot.messages where {' and '.join(conditions)}"
    oldest = facts.looking.value(f"select min(first_time) from ({waiting})", values)
    details: list[str] = []
    if oldest is not None:
        # Per message and recipient, what was last tried.
        put_off = (
            f"select trail_id, recipient from {facts.rows(DELIVERIES, oldest)} "
            "where trail_id in (select trail_id from waiting) group by trail_id, recipient "
            "having arg_max(status, time) = 'deferred'"
        )
        if asked.domain is not None:
            waiting = (
                f"with waiting as ({waiting}) select * from waiting where trail_id in (select trail_id from "
                f"({put_off}) where ends_with(lower(recipient), lower(?)))"
            )
            values.append("@" + asked.domain)
        else:
            by_domain = (
                f"with waiting as ({waiting}) select lower(split_part(recipient, '@', -1)) as domain, "
                f"count(distinct trail_id) as n, min(first_time) from ({put_off}) "
                f"join waiting using (trail_id) group by domain order by n desc, domain limit {SHOWN_DOMAINS}"
            )
            details = [
                f"{domain}: {counted(n, 'message')} put off, the oldest since {_age(facts, first)}"
                for domain, n, first in facts.ask(by_domain, values)
            ]
    statement = f"select count(*), coalesce(sum(size_bytes), 0), min(first_time) from ({waiting})"
    count, size, first = facts.ask(statement, values)[0]
    return Waiting(int(count), int(size), first, details)


def _measured(facts: Facts, asked: Queue, told: Waiting) -> Measured:
    count, size, first, details = told.messages, told.size_bytes, told.oldest, told.details
    age_s = max(0.0, (facts.now - first).total_seconds()) if first is not None else 0.0
    figures = [Figure("messages", count), Figure("oldest", round(age_s), "s"), Figure("size", size, "B")]
    if asked.age:
        figures = [figures[1], figures[0], figures[2]]
    words = f"{counted(count, 'message')} in the queue{_of(asked)}"
    words += f", the oldest since {ago(age_s)}" if count else ""
    return Measured(tuple(figures), words, tuple(details))


def _age(facts: Facts, first: Any) -> str:
    return ago(max(0.0, (facts.now - first).total_seconds()))


def _of(asked: Queue) -> str:
    told = [f" ({asked.queue})"] if asked.queue != "all" else []
    told += [f" for {asked.domain}"] if asked.domain else []
    told += [f" from {asked.sender}"] if asked.sender else []
    told += [f" for more than {ago(asked.older_than_s)}"] if asked.older_than_s else []
    return "".join(told)


QUEUE = Check(
    "queue",
    "QUEUE",
    "Messages in the queue, and how long the oldest has waited.",
    "-w 100 -c 500 --older-than 30m",
    Queue,
    measure,
)
