"""How much waits: messages, recipients, bytes, and since when."""

from __future__ import annotations

from dataclasses import dataclass

from mailscope.queues.entry import QueueEntry


@dataclass
class Count:
    """What waits in one queue, or for one domain."""

    messages: int = 0
    recipients: int = 0
    size_bytes: int = 0
    oldest: float | None = None
    next_retry: float | None = None
    damaged: int = 0

    def add(self, entry: QueueEntry, recipients: int) -> None:
        """Count a message with so many recipients."""
        self.messages += 1
        self.recipients += recipients
        self.size_bytes += entry.size_bytes
        self.damaged += bool(entry.problems)
        if entry.arrival_time is not None and (self.oldest is None or entry.arrival_time < self.oldest):
            self.oldest = entry.arrival_time
        retry = entry.next_retry_time
        if retry is not None and (self.next_retry is None or retry < self.next_retry):
            self.next_retry = retry
