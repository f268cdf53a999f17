"""What must come of a log, worked out line by line in plain Python.

The rules are those of ``trails/identity.py`` and ``trails/story.py``, told a second time in the slowest and
plainest way, so that the columnar code can be held against them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

GRACE = timedelta(minutes=5)
LIFETIME = timedelta(days=7)
# Where several lines end a message, the last of these counts.
ENDS = ("removed", "requeued", "refused", "discarded", "deleted")
Name = tuple[str, str, datetime]


@dataclass
class Line:
    """One line of a log: when, where, about which queue id, what, and the fields that count."""

    time: datetime
    host: str
    queue_id: str
    kind: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass
class Message:
    """What is known of a message; ``state``: alive, gone or turned away."""

    host: str
    queue_id: str
    first: datetime
    last: datetime
    state: str = "alive"
    sender: str | None = None
    size: int | None = None
    count: int | None = None
    message_id: str | None = None
    origin: str | None = None
    ended: str | None = None
    expired: bool = False
    held: bool = False
    refused: bool = False
    deferred: bool = False
    filtered: bool = False
    tried: dict[str, list[str]] = field(default_factory=dict)

    @property
    def name(self) -> Name:
        """How the message is called in comparisons."""
        return self.host, self.queue_id, self.first

    def row(self) -> tuple[Any, ...]:
        """What is compared."""
        return (
            *self.name, self.last, self.sender, self.size, self.count, self.message_id, self.origin, self.ended,
            self.expired, self.held, self.refused, self.deferred, self.filtered,
        )  # fmt: skip

    def fates(self) -> list[tuple[Any, ...]]:
        """Recipient, fate, attempts, number of recipients that it stands for."""
        out: list[tuple[Any, ...]] = []
        for recipient, statuses in self.tried.items():
            status = "sent" if "sent" in statuses else statuses[-1]
            if status == "deferred":
                if self.ended == "requeued":
                    continue
                status = "expired" if self.expired else self._left("deferred")
            out.append((recipient, status, len(statuses), 1))
        untried = (self.count or 0) - len(self.tried)
        if untried > 0 and not self.refused and self.ended != "requeued":
            fate = self._left("queued")
            out.append((None, "expired" if fate == "unknown" and self.expired else fate, 0, untried))
        return out

    def _left(self, waiting: str) -> str:
        if self.ended is None:
            return waiting
        return self.ended if self.ended in ("deleted", "discarded") else "unknown"


@dataclass
class Told:
    """Everything that came of a log."""

    messages: list[Message] = field(default_factory=list)
    deliveries: list[tuple[Any, ...]] = field(default_factory=list)
    links: list[tuple[Message, Message, datetime]] = field(default_factory=list)


class Oracle:
    """Reads lines in order."""

    def __init__(self) -> None:
        self.told = Told()
        self.running: dict[tuple[str, str], Message] = {}

    def read(self, line: Line) -> None:
        """Follow one line."""
        if line.fields.get("orig_id"):
            old = self._message(Line(line.time, line.host, line.fields["orig_id"], "renamed"))
            self._end(old, "requeued")
        message = self._message(line)
        getattr(self, f"_{line.kind}")(message, line)

    def _message(self, line: Line) -> Message:
        place = (line.host, line.queue_id)
        message = self.running.get(place)
        if message is None or self._begins(message, line):
            message = self.running[place] = Message(*place, line.time, line.time)
            self.told.messages.append(message)
        message.first = min(message.first, line.time)
        message.last = max(message.last, line.time)
        return message

    def _begins(self, message: Message, line: Line) -> bool:
        gap = line.time - message.last
        if line.kind in ("accepted", "picked_up") or gap > LIFETIME:
            return True
        if message.state == "gone":
            return line.kind in ("identified", "queued") or gap > GRACE
        return message.state == "turned away" and gap > GRACE

    def _end(self, message: Message, word: str) -> None:
        message.state = "turned away" if word in ("refused", "discarded") else "gone"
        if message.ended is None or ENDS.index(word) > ENDS.index(message.ended):
            message.ended = word

    def _accepted(self, message: Message, line: Line) -> None:
        message.origin = "smtpd"

    def _picked_up(self, message: Message, line: Line) -> None:
        message.origin = "requeued" if line.fields.get("orig_id") else "pickup"

    def _identified(self, message: Message, line: Line) -> None:
        if message.size is None:
            message.origin = message.origin or "internal"
        message.message_id = message.message_id or line.fields["message_id"]

    def _queued(self, message: Message, line: Line) -> None:
        if message.size is None:
            message.sender, message.size, message.count = (
                line.fields[name] for name in ("sender", "size", "count")
            )

    def _attempted(self, message: Message, line: Line) -> None:
        status, recipient = line.fields["status"], line.fields["recipient"]
        message.tried.setdefault(recipient, []).append(status)
        message.deferred |= status == "deferred"
        self.told.deliveries.append(
            (line.time, line.queue_id, recipient, status, message.sender, message.size)
        )
        other = self.running.get((line.host, line.fields.get("next_id", "")))
        if status == "sent" and other is not None:
            kept = LIFETIME if other.ended is None else GRACE
            if line.time - other.last <= kept:
                other.filtered = True
                self.told.links.append((message, other, line.time))

    def _removed(self, message: Message, line: Line) -> None:
        self._end(message, "removed")

    def _deleted(self, message: Message, line: Line) -> None:
        self._end(message, "deleted")

    def _refused(self, message: Message, line: Line) -> None:
        message.refused = True
        self._end(message, "refused")

    def _discarded(self, message: Message, line: Line) -> None:
        self._end(message, "discarded")

    def _expired(self, message: Message, line: Line) -> None:
        message.expired = True

    def _held(self, message: Message, line: Line) -> None:
        message.held = True

    def _released(self, message: Message, line: Line) -> None:
        message.held = False

    def _noted(self, message: Message, line: Line) -> None:
        """A line that only tells of the message."""
