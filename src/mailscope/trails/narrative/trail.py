"""What is told of one message in one MTA, of the messages linked with it, and of all of them together."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final, Literal

from mailscope.trails.identity import trail_id

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Step:
    """One line of the log.

    ``time`` is naive UTC; ``since_s``: seconds since the step before, None for the first.  ``fields`` are
    the typed fields of the vocabulary that the line carries.  ``session``: a line of the client's session,
    which names no message.  ``evidence``: what shows that a line of another program belongs to the message,
    ``confidence``: how sure that is, ``for_recipient``: whose mailbox it tells of.
    """

    time: datetime | None
    event: str
    host: str | None
    program: str | None
    service: str | None
    instance: str | None
    pid: int | None
    fields: dict[str, Any]
    text: str
    source: str
    line_number: int | None
    raw: str
    meaning: str
    time_quality: str
    order: tuple[int, int]
    session: bool = False
    evidence: str | None = None
    confidence: Literal["certain", "likely", "possible"] | None = None
    for_recipient: str | None = None
    since_s: float | None = None
    words: str = ""


@dataclass
class Attempt:
    """One try for one recipient, as logged."""

    time: datetime | None
    status: str
    fields: dict[str, Any]


@dataclass
class Recipient:
    """``status``: sent, deferred, bounced, expired, deleted, discarded, queued, rejected or unknown.

    ``recipient`` is None for recipients that no line names; ``count`` says how many they are.  ``mailbox``:
    what the program that keeps the mailboxes did with the message.
    """

    recipient: str | None
    status: str
    attempts: list[Attempt] = field(default_factory=list)
    count: int = 1
    mailbox: list[Step] = field(default_factory=list)


@dataclass
class Link:
    """From one trail to another.

    ``kind``: filtered, relayed, forwarded, bounced, notified, requeued or same_message; ``direction``: "to"
    the later message or "from" the earlier; ``evidence``: the words of the log that show it; ``agrees``: what
    speaks for it besides, and ``confidence``: how sure it is (``trust``).  ``recipients``: those of the
    earlier message whose way goes on in the later one.  ``after_s``: how many seconds the earlier one had it;
    ``clock_s``: by how many seconds at least the later host's clock is ahead (behind, where negative).
    """

    kind: str
    direction: Literal["to", "from"]
    trail_id: str
    queue_id: str | None
    evidence: str
    confidence: Literal["certain", "likely", "possible"]
    agrees: list[str] = field(default_factory=list)
    recipients: list[str | None] = field(default_factory=list)
    after_s: float | None = None
    clock_s: float | None = None


@dataclass
class Trail:
    """One message in one MTA; without ``queue_id``: mail that was refused before it got one."""

    number: int
    host: str | None
    instance: str | None
    queue_id: str | None
    first_time: datetime | None
    message_id: str | None = None
    sender: str | None = None
    size_bytes: int | None = None
    ended: str | None = None
    matched: bool = False
    recipients: list[Recipient] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    # The client's session that it came in by, as ``trails.sessions`` tells it.
    session: dict[str, Any] | None = None

    @property
    def trail_id(self) -> str:
        """The same for the same lines, wherever and however often they are read."""
        micros = micros_since_1970(self.first_time)
        more = "\0" + self.steps[0].text if self.queue_id is None and self.steps else ""
        return trail_id(self.host, self.instance, self.queue_id, micros, more)

    @property
    def last_time(self) -> datetime | None:
        """When the last of its lines was logged."""
        return max((step.time for step in self.steps if step.time is not None), default=None)


@dataclass
class Story:
    """Trails that belong together, in the order in which they led to one another."""

    trails: list[Trail]

    @property
    def first_time(self) -> datetime | None:
        """When it began."""
        return min((trail.first_time for trail in self.trails if trail.first_time), default=None)

    def steps(self) -> list[list[tuple[Trail, Step]]]:
        """The lines of all its trails: host by host, as clocks differ, and for each in order of time."""
        stays = groupby(self.trails, key=lambda trail: trail.host)
        both = [[(trail, step) for trail in trails for step in trail.steps] for _, trails in stays]
        return [sorted(stay, key=lambda pair: (pair[1].time or datetime.min, pair[1].order)) for stay in both]


def micros_since_1970(time: datetime | None) -> int | None:
    """Microseconds of a naive UTC time."""
    if time is None:
        return None
    span = time.replace(tzinfo=UTC) - EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def stamp(time: datetime | None) -> str | None:
    """A naive UTC time in RFC 3339 form."""
    return None if time is None else time.isoformat(timespec="microseconds") + "Z"
