"""Where a message came from that no line names: by the Message-ID that it kept.

It came from a message with the same Message-ID that was delivered to something which told no id, or told
that of a host whose log is not here:

- on the same host to a program that handed it back: a content filter, a mailing list (a message for all
  subscribers, or one for each), a script of a mailbox;
- on another host to a server that says no more than "250 OK", or by way of a third one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from mailscope.trails.narrative.claims import is_delivered
from mailscope.trails.narrative.joining import CLOCKS, LATEST, SOONEST, Joining, hop_to
from mailscope.trails.narrative.trail import Step, Trail
from mailscope.trails.narrative.trust import (
    Confidence,
    agreements,
    are_copies,
    client_of,
    of_message_id,
)

# A list manager may have much to do, or wait for a moderator.
LISTED: Final = timedelta(days=5)
_LOOPBACK: Final = re.compile(r"127\.|::1$|::ffff:127\.")
_PROGRAMS: Final = frozenset({"local", "pipe", "virtual", "lmtp"})
# A list manager's own word of what it handed to the MTA.
_HANDED_IN: Final = re.compile(r"smtp(?: to [^ ]+)? for [0-9]+ recips")


@dataclass(frozen=True)
class _Way:
    """That ``later`` came from ``earlier``, by a delivery (None: by one that no line tells)."""

    earlier: Trail
    later: Trail
    step: Step | None
    agrees: tuple[str, ...]

    @property
    def rank(self) -> tuple[Any, ...]:
        """What speaks for it, the most telling first; the last decides only so that something does."""
        began = self.step.time if self.step is not None else self.earlier.first_time
        span = (self.later.first_time or datetime.max) - (began or datetime.min)
        return (
            self.earlier.host == self.later.host,
            self.step is not None,
            len(self.agrees),
            (self.later.first_time or datetime.max) >= (self.earlier.first_time or datetime.min),
            -abs(span),
            self.earlier.trail_id,
            self.later.trail_id,
        )


def link_unnamed(joining: Joining, trails: Iterable[Trail]) -> None:
    """Link what shares a Message-ID and has no known origin with what it came from, the surest first."""
    groups: dict[str, list[Trail]] = defaultdict(list)
    by_id: dict[str, Trail] = {}
    for trail in trails:
        # On the way there may be MTAs that do not log Message-IDs.
        by_id[trail.trail_id] = trail
        if trail.message_id and trail.first_time is not None and trail.queue_id is not None:
            groups[trail.message_id].append(trail)
    for message_id, group in groups.items():
        ways = [
            way
            for later in group
            if hop_to(later) is None
            for earlier in group
            if earlier is not later
            for way in _ways(joining, earlier, later)
        ]
        placed: set[str] = set()
        for way in sorted(ways, key=lambda way: way.rank, reverse=True):
            linked = any(entry.trail_id == way.later.trail_id for entry in way.earlier.links)
            if way.later.trail_id in placed or linked or _descends(way.earlier, way.later, by_id):
                continue
            placed.add(way.later.trail_id)
            _enter(joining, way, f"message-id=<{message_id}>")


def _ways(joining: Joining, earlier: Trail, later: Trail) -> Iterator[_Way]:
    """The ways in which one message may have come from another."""
    if earlier.host == later.host and earlier.instance == later.instance and not _handed_in(later):
        return
    for step in _deliveries(joining, earlier, later):
        if _in_time(earlier, later, step):
            yield _Way(earlier, later, step, agreements(earlier, later, step))


def _enter(joining: Joining, way: _Way, evidence: str) -> None:
    kind, confidence, evidence = _judge(way, evidence)
    step = None if kind == "same_message" else way.step
    joining.enter(way.earlier, way.later, kind, evidence, confidence, way.agrees, step)
    if step is not None and way.earlier.host == way.later.host:
        # A program that takes a message for several recipients hands back one.
        for other in way.earlier.steps:
            if _to_program(other):
                joining.enter(way.earlier, way.later, kind, evidence, confidence, (), other)


def _judge(way: _Way, evidence: str) -> tuple[str, Confidence, str]:
    """Kind of a link, how sure it is, and what shows it."""
    earlier, later, step, agrees = way.earlier, way.later, way.step, way.agrees
    if earlier.host != later.host:
        kind = "same_message" if are_copies(earlier, later, step, agrees) else "relayed"
        return kind, "possible" if kind == "same_message" else of_message_id(agrees, step), evidence
    if step is None or earlier.instance != later.instance:
        return "filtered", "likely", evidence
    listed = next((each for each in earlier.steps if _HANDED_IN.search(each.text)), None)
    if listed is not None and listed.fields.get("message_id") == earlier.message_id:
        return "forwarded", "certain", listed.text
    unchanged = later.sender in (None, earlier.sender) and _recipients(later) <= _recipients(earlier)
    return "filtered" if unchanged else "forwarded", "likely", evidence


def _deliveries(joining: Joining, earlier: Trail, later: Trail) -> Iterable[Step | None]:
    """The deliveries that may have led to another message; None stands for those that no line tells."""
    sent = [step for step in earlier.steps if is_delivered(step)]
    if earlier.host == later.host and earlier.instance == later.instance:
        return [step for step in sent if _to_program(step)]
    if not sent and not earlier.ended:
        return [None]
    if earlier.host == later.host:
        return [step for step in sent if id(step) not in joining.spent]
    return [step for step in sent if id(step) not in joining.spent and _to_host(step)]


def _in_time(earlier: Trail, later: Trail, step: Step | None) -> bool:
    if earlier.first_time is None or later.first_time is None:
        return False
    here = earlier.host == later.host
    slack = timedelta(0) if here else CLOCKS
    if later.first_time < earlier.first_time - slack:
        return False
    if step is None or step.time is None:
        return step is None
    return later.first_time <= step.time + (LISTED if here else SOONEST) + LATEST + slack


def _descends(trail: Trail, ancestor: Trail, by_id: dict[str, Trail]) -> bool:
    """Whether a trail came from another one, by links that are known."""
    seen: set[str] = set()
    current: Trail | None = trail
    while current is not None and current.trail_id not in seen:
        if current is ancestor:
            return True
        seen.add(current.trail_id)
        entry = hop_to(current)
        current = by_id.get(entry.trail_id) if entry is not None else None
    return False


def _to_program(step: Step) -> bool:
    """Whether a delivery was to a program of the same host that told no id."""
    fields = step.fields
    if not is_delivered(step) or fields.get("next_queue_id"):
        return False
    if step.service in _PROGRAMS or fields.get("relay_host") in (None, "local", "localhost"):
        return True
    return _LOOPBACK.match(str(fields.get("relay_ip") or "")) is not None


def _to_host(step: Step) -> bool:
    """Whether a delivery was to another host."""
    address = step.fields.get("relay_ip")
    return address is not None and _LOOPBACK.match(str(address)) is None


def _handed_in(trail: Trail) -> bool:
    """Whether a message was taken in from a program of its own host."""
    client = client_of(trail)
    address = client.get("client_ip")
    if address is None:
        return client.get("client_host") in (None, "localhost")
    return _LOOPBACK.match(str(address)) is not None


def _recipients(trail: Trail) -> set[str]:
    return {each.recipient.lower() for each in trail.recipients if each.recipient}
