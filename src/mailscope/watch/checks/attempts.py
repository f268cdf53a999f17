"""Attempts at delivery in a window, as several checks count them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from mailscope.watch.checks.check import Facts

# Postfix' look-ups whether an address exists (verify) deliver nothing.
PROBES = ("deliverable", "undeliverable")
GIVEN_UP = ("bounced", "expired")


def rows(
    facts: Facts, window_s: float, domain: str | None, sender: str | None = None, status: Sequence[str] = ()
) -> tuple[str, list[Any]]:
    """SQL, with its values, for attempts; ``domain``: of recipients, ``sender``: an address or a domain."""
    from mailscope.vocabulary.tables import DELIVERIES

    conditions = [f"status not in ({', '.join(repr(each) for each in PROBES)})"]
    values: list[Any] = []
    if status:
        conditions.append(f"status in ({', '.join('?' for _ in status)})")
        values += status
    if domain is not None:
        conditions.append("ends_with(lower(recipient), lower(?))")
        values.append("@" + domain)
    if sender is not None:
        conditions.append(
            "lower(sender) = lower(?)" if "@" in sender else "ends_with(lower(sender), lower(?))"
        )
        values.append(sender if "@" in sender else "@" + sender)
    where = " and ".join(conditions)
    return f"(select * from {facts.rows(DELIVERIES, facts.since(window_s))} where {where})", values


def by_status(facts: Facts, window_s: float, domain: str | None, sender: str | None = None) -> Counter[str]:
    """How many ended how."""
    relation, values = rows(facts, window_s, domain, sender)
    return Counter(dict(facts.ask(f"select status, count(*) from {relation} group by status", values)))


def of(domain: str | None, sender: str | None = None) -> str:
    """Whose attempts, in words."""
    return (f" to {domain}" if domain else "") + (f" from {sender}" if sender else "")
