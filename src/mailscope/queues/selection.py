"""Which messages of a queue are meant: by address, domain, age, size, reason, cause, queue or id.

Several values of one kind mean any of them; several kinds mean all of them.  Addresses and domains are
patterns as the shell's (``*@example.org``), whatever their case; ``<>`` is the empty sender.  Of the
recipients those count that still wait.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import translate
from functools import cached_property
from typing import Final

from mailscope.queues.entry import CANCELED, DONE, QueueEntry, Recipient
from mailscope.vocabulary.errors import UsageError

NOBODY: Final = "<>"
_SPAN: Final = re.compile(r"([0-9]{1,9})([smhdw]?)")
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SIZE: Final = re.compile(r"([0-9]{1,15})([kmg]?)b?", re.IGNORECASE)
_BYTES: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


@dataclass(frozen=True)
class Selection:
    """What is asked for.  ``older_than_s`` in seconds, ``larger_than_bytes`` in bytes; empty means any."""

    queue_ids: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    older_than_s: float | None = None
    larger_than_bytes: int | None = None
    reasons: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()

    @property
    def everything(self) -> bool:
        """Whether nothing narrows it down."""
        return self == Selection()

    def takes(self, entry: QueueEntry, now: float) -> bool:
        """Whether a message is meant; ``now`` in seconds since 1970."""
        if self.queue_ids and entry.queue_id not in self._ids:
            return False
        if self.larger_than_bytes is not None and entry.size_bytes <= self.larger_than_bytes:
            return False
        if self.older_than_s is not None and (
            entry.arrival_time is None or now - entry.arrival_time < self.older_than_s
        ):
            return False
        if self._sender is not None and (entry.sender is None or not self._sender(entry.sender or NOBODY)):
            return False
        return self._any_recipient(entry)

    def _any_recipient(self, entry: QueueEntry) -> bool:
        """Whether one and the same recipient is meant in every way that is asked."""
        if not (self.recipients or self.domains or self.reasons or self.causes):
            return True
        return any(self._takes(each) for each in entry.recipients if each.status not in (DONE, CANCELED))

    def _takes(self, each: Recipient) -> bool:
        if self._recipient is not None and not self._recipient(each.recipient):
            return False
        if self._domain is not None and not self._domain(each.recipient.rpartition("@")[2]):
            return False
        if self.causes and each.cause not in self.causes:
            return False
        reason = each.reason.lower()
        return not self.reasons or any(words.lower() in reason for words in self.reasons)

    @cached_property
    def _ids(self) -> frozenset[str]:
        return frozenset(self.queue_ids)

    @cached_property
    def _sender(self) -> Callable[[str], object] | None:
        return _any_of(self.senders)

    @cached_property
    def _recipient(self) -> Callable[[str], object] | None:
        return _any_of(self.recipients)

    @cached_property
    def _domain(self) -> Callable[[str], object] | None:
        return _any_of(self.domains)


def seconds(text: str, option: str) -> float:
    """A span as people write it (``90m``, ``2h``, ``3d``), in seconds.  Raises UsageError."""
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None:
        raise UsageError(
            f"'{text}' is no span of time", option, "give a number and s, m, h, d or w, such as 2h"
        )
    return float(int(found[1]) * _SECONDS[found[2]])


def size(text: str, option: str) -> int:
    """A size as people write it (``500k``, ``10M``), in bytes; k is 1,024.  Raises UsageError."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"'{text}' is no size", option, "give bytes, or a number and k, M or G, such as 10M")
    return int(found[1]) * _BYTES[found[2].lower()]


def _any_of(patterns: tuple[str, ...]) -> Callable[[str], object] | None:
    if not patterns:
        return None
    whole = "|".join(translate(pattern) for pattern in patterns)
    return re.compile(whole, re.IGNORECASE).match
