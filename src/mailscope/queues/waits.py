"""Why mail waits, summed up: by cause, and within a cause by domain.

In: entries with the causes of their reasons (``causes.py``).  Out: ``Wait``s, the one that keeps most
recipients first.  A recipient counts once, under its cause; one that was not tried, or is on hold, has a
cause of its own here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from mailscope.causes.catalogue import UNCLASSIFIED
from mailscope.queues.entry import CANCELED, DONE, QueueEntry, Recipient

# Why somebody waits whom no server has put off.
NOT_TRIED: Final = "not_tried"
HELD: Final = "held"
# Wordings of reasons that are counted for each domain; a server that tells every message another one is no
# news.
WORDINGS: Final = 50


@dataclass
class Domain:
    """What waits for one domain; ``reasons``: how often each wording was met."""

    recipients: int = 0
    messages: int = 0
    oldest: float | None = None
    next_retry: float | None = None
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, entry: QueueEntry, each: Recipient, *, first: bool) -> None:
        """Count a recipient; ``first``: the first of its message for this domain."""
        self.recipients += 1
        self.messages += first
        self.oldest = _least(self.oldest, entry.arrival_time)
        self.next_retry = _least(self.next_retry, entry.next_retry_time)
        if each.reason and (each.reason in self.reasons or len(self.reasons) < WORDINGS):
            self.reasons[each.reason] += 1

    @property
    def reason(self) -> str:
        """The most frequent wording; of several, the first that was met."""
        return self.reasons.most_common(1)[0][0] if self.reasons else ""


@dataclass
class Wait:
    """What waits for one cause."""

    cause: str
    domains: dict[str, Domain] = field(default_factory=dict)
    messages: int = 0

    @property
    def recipients(self) -> int:
        """How many recipients wait."""
        return sum(each.recipients for each in self.domains.values())

    @property
    def oldest(self) -> float | None:
        """When the oldest message came."""
        return min((each.oldest for each in self.domains.values() if each.oldest is not None), default=None)

    def most(self) -> list[tuple[str, Domain]]:
        """The domains, those with most recipients first."""
        return sorted(self.domains.items(), key=lambda item: (-item[1].recipients, item[0]))


def waits(entries: Iterable[QueueEntry]) -> list[Wait]:
    """Sum up entries."""
    found: dict[str, Wait] = {}
    for entry in entries:
        seen: set[tuple[str, str]] = set()
        causes: set[str] = set()
        for each in entry.recipients:
            if each.status in (DONE, CANCELED):
                continue
            cause = _cause(entry, each)
            wait = found.setdefault(cause, Wait(cause))
            domain = each.recipient.rpartition("@")[2].lower()
            wait.domains.setdefault(domain, Domain()).add(entry, each, first=(cause, domain) not in seen)
            wait.messages += cause not in causes
            seen.add((cause, domain))
            causes.add(cause)
    return sorted(found.values(), key=lambda wait: (-wait.recipients, wait.cause))


def _cause(entry: QueueEntry, each: Recipient) -> str:
    # What nobody will try, whatever a server said before.
    if entry.queue == "hold":
        return HELD
    if not each.reason:
        return NOT_TRIED
    return each.cause or UNCLASSIFIED


def _least(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
