"""The queue: how many messages wait, and how long the oldest has waited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from mailscope.watch.checks.check import Check, Facts, Question, ago, counted, option
from mailscope.watch.checks.plugin import Figure, Measured


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
    """Messages that were taken in and have not left."""
    from mailscope.vocabulary.tables import DELIVERIES
    from mailscope.watch.metrics.kept import IN_QUEUE

    conditions, values = [IN_QUEUE], list[Any]()
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
                "join waiting using (trail_id) group by domain order by n desc, domain limit 5"
            )
            details = [
                f"{domain}: {counted(n, 'message')} put off, the oldest since {_age(facts, first)}"
                for domain, n, first in facts.ask(by_domain, values)
            ]
    statement = f"select count(*), coalesce(sum(size_bytes), 0), min(first_time) from ({waiting})"
    count, size, first = facts.ask(statement, values)[0]
    age_s = max(0.0, (facts.now - first).total_seconds()) if first is not None else 0.0
    figures = [Figure("messages", count), Figure("oldest", round(age_s), "s"), Figure("size", int(size), "B")]
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
