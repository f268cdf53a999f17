"""Logins: how many failed or succeeded, in all, of one user or client, or of the worst one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from mailscope.watch.checks.check import Check, Facts, Question, ago, counted, option
from mailscope.watch.checks.plugin import Figure, Measured


@dataclass(frozen=True)
class Logins(Question):
    """Which logins, and what of them is held against the ranges."""

    window_s: float = option(900.0, "How far back it looks.")
    count: Literal["failed", "succeeded"] = option("failed", "What the ranges are held against.")
    most: Literal["user", "client"] | None = option(
        None, "Hold the highest number of any one user or client."
    )
    user: str | None = option(None, "Only logins of this user.")
    client: str | None = option(None, "Only logins from this address.")
    service: str | None = option(None, "Only logins at this service, such as imap-login or smtpd.")


def measure(facts: Facts, asked: Logins) -> Measured:
    """Logins of clients with an address."""
    from mailscope.vocabulary.tables import EVENTS

    account = "coalesce(nullif(lower(trim(user)), ''), nullif(lower(trim(sasl_user)), ''))"
    conditions, values = ["client_ip is not null"], list[Any]()
    for column, value in ((account, asked.user), ("client_ip", asked.client), ("service", asked.service)):
        if value is not None:
            conditions.append(f"{column} = lower(?)")
            values.append(value)
    relation = (
        f"(select event, client_ip, {account} as account "
        f"from {facts.rows(EVENTS, facts.since(asked.window_s))} "
        f"where event in ('login_failed', 'login_succeeded') and {' and '.join(conditions)})"
    )
    failed, succeeded = facts.ask(
        "select count(*) filter (where event = 'login_failed'), "
        f"count(*) filter (where event = 'login_succeeded') from {relation}",
        values,
    )[0]
    users, clients = (
        _worst(facts, relation, values, f"login_{asked.count}", by) for by in ("account", "client_ip")
    )
    figures = [Figure("failed", failed), Figure("succeeded", succeeded)]
    figures.sort(key=lambda each: each.label != asked.count)
    worst = {"user": users, "client": clients}
    if asked.most is not None:
        highest = worst[asked.most][0][1] if worst[asked.most] else 0
        figures.insert(0, Figure(f"most_of_one_{asked.most}", highest))
    words = f"{counted(failed, 'failed login')}, {succeeded} succeeded in {ago(asked.window_s)}"
    words += f" of {asked.user}" if asked.user else ""
    words += f" from {asked.client}" if asked.client else ""
    words += f" at {asked.service}" if asked.service else ""
    if asked.most is not None and worst[asked.most]:
        words += ", most of {}: {}".format(*worst[asked.most][0])
    details = [
        f"{asked.count}, by {name}: " + ", ".join(f"{who} {n}" for who, n in found)
        for name, found in worst.items()
        if found
    ]
    return Measured(tuple(figures), words, tuple(details))


def _worst(facts: Facts, relation: str, values: list[Any], event: str, by: str) -> list[tuple[str, int]]:
    found = facts.ask(
        f"select {by}, count(*) as n from {relation} where event = '{event}' and {by} is not null "
        f"group by {by} order by n desc, {by} limit 5",
        values,
    )
    return [(str(who), int(n)) for who, n in found]


LOGINS = Check(
    "logins",
    "LOGINS",
    "Failed or successful logins in a window.",
    "-w 50 -c 500 --window 15m --most client",
    Logins,
    measure,
)
