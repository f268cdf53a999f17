"""Trails as plain data for JSON; ``docs/trace.md`` describes it.

Absent fields are left out, but for the keys that every trail has.
"""

from __future__ import annotations

from typing import Any, Final

from mailscope.trails.narrative.mailbox import outcome_of
from mailscope.trails.narrative.trail import Attempt, Link, Recipient, Step, Trail, stamp
from mailscope.vocabulary.fields import TRANSIENT

# Of a session, what means something only while the log is read.
NOT_TOLD: Final = frozenset({"session", "last_time"})
OF_MAILBOX: Final = ("user", "mailbox", "recipient", "reason", "cause")


def record(trail: Trail) -> dict[str, Any]:
    """One trail."""
    return {
        "trail_id": trail.trail_id,
        "host": trail.host,
        "instance": trail.instance,
        "queue_id": trail.queue_id,
        "message_id": trail.message_id,
        "sender": trail.sender,
        "size_bytes": trail.size_bytes,
        "first_time": stamp(trail.first_time),
        "last_time": stamp(trail.last_time),
        "ended": trail.ended,
        "matched": trail.matched,
        "recipients": [_recipient(recipient) for recipient in trail.recipients],
        "events": [_event(step) for step in trail.steps],
        "links": [_link(entry) for entry in trail.links],
    } | ({"session": _session(trail.session)} if trail.session else {})


def _session(row: dict[str, Any]) -> dict[str, Any]:
    told = {name: stamp(value) if name in ("start", "end") else value for name, value in row.items()}
    return {name: value for name, value in told.items() if value is not None and name not in NOT_TOLD}


def _recipient(recipient: Recipient) -> dict[str, Any]:
    told: dict[str, Any] = {"recipient": recipient.recipient, "status": recipient.status}
    if recipient.count != 1:
        told["count"] = recipient.count
    told |= {"attempts": [_attempt(attempt) for attempt in recipient.attempts]}
    return told | ({"mailbox": [_mailbox(step) for step in recipient.mailbox]} if recipient.mailbox else {})


def _mailbox(step: Step) -> dict[str, Any]:
    told = {
        "time": stamp(step.time),
        "outcome": outcome_of(step),
        "host": step.host,
        "service": step.service,
        **{name: step.fields.get(name) for name in OF_MAILBOX},
        "evidence": step.evidence,
        "confidence": step.confidence,
    }
    return {name: value for name, value in told.items() if value is not None}


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {"time": stamp(attempt.time), "status": attempt.status} | attempt.fields


def _event(step: Step) -> dict[str, Any]:
    told = {
        "time": stamp(step.time),
        "time_quality": None if step.time_quality == "exact" else step.time_quality,
        "since_s": step.since_s,
        "event": step.event,
        "host": step.host,
        "program": step.program,
        "service": step.service,
        "instance": step.instance,
        "pid": step.pid,
        **{name: value for name, value in step.fields.items() if name not in TRANSIENT},
        "evidence": step.evidence,
        "confidence": step.confidence,
        "words": step.words,
        "text": step.text,
        "source": step.source,
        "line_number": step.line_number,
    }
    return {name: value for name, value in told.items() if value is not None}


def _link(entry: Link) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "direction": entry.direction,
        "trail_id": entry.trail_id,
        "queue_id": entry.queue_id,
        "evidence": entry.evidence,
        "confidence": entry.confidence,
        "agrees": entry.agrees,
        "recipients": entry.recipients,
        "after_s": entry.after_s,
        "clock_s": entry.clock_s,
    }
