"""The queue as the daemon saw it last in the spool, where it may read that; surer than what lines say of
it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from mailscope.watch.checks.check import Facts

# A look that is older tells nothing of now.
STALE_S: Final = 600.0
# So many domains a look keeps (``daemon/queues.py``).
MOST: Final = 50
LAST: Final = "time = (select max(time) from hot.queue_snapshots where time > ?)"
NAMED: Final = "case queue_name when 'hold' then 'hold' when 'deferred' then 'deferred' else 'active' end"


class Waiting(NamedTuple):
    """How many messages wait, their size, and since when the oldest does (naive UTC)."""

    messages: int
    size_bytes: int
    oldest: datetime | None


class Domain(NamedTuple):
    """What was put off for one domain."""

    domain: str
    messages: int
    oldest: datetime | None


def waiting(facts: Facts, queue: str, domain: str | None) -> Waiting | None:
    """What waits in a queue (``all``: in any), or was put off for a domain; None where nobody looked lately.

    Of domains the look keeps those with most messages: what is not among them may be few, or none.
    """
    since = facts.since(STALE_S)
    if not facts.ask(f"select count(*) from hot.queue_snapshots where {LAST}", [since])[0][0]:
        return None
    if domain is not None and queue != "all":
        # The look does not tell which messages of a domain are in which queue.
        return None
    if domain is not None:
        where, values = "lower(domain) = lower(?)", [since, domain]
    elif queue != "all":
        where, values = f"queue_name is not null and {NAMED} = ?", [since, queue]
    else:
        where, values = "queue_name is not null and queue_name <> 'corrupt'", [since]
    rows = facts.ask(
        "select coalesce(sum(messages), 0), coalesce(sum(size_bytes), 0), min(oldest_time) "
        f"from hot.queue_snapshots where {LAST} and {where}",
        values,
    )
    messages, size, oldest = rows[0]
    if domain is not None and not messages and len(domains(facts, MOST)) >= MOST:
        return None
    return Waiting(int(messages), int(size), oldest)


def domains(facts: Facts, count: int) -> list[Domain]:
    """The domains with most messages that were put off."""
    rows = facts.ask(
        "select domain, sum(messages) as n, min(oldest_time) from hot.queue_snapshots "
        f"where {LAST} and domain is not null group by domain order by n desc, domain limit {count:d}",
        [facts.since(STALE_S)],
    )
    return [Domain(name, int(n), oldest) for name, n, oldest in rows]
