"""From followed lines to trails, and from trails to stories.

A story is shown if one of its trails matches the query.  Lines that match and belong to no message are
refusals (mail that never got a queue id): those of one client's session make one trail.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from mailscope.sequence.selection import Selection
from mailscope.trails.narrative.follow import Followed
from mailscope.trails.narrative.joins import Line, is_mailbox
from mailscope.trails.narrative.links import link
from mailscope.trails.narrative.mailbox import outcome_of
from mailscope.trails.narrative.trail import Attempt, Recipient, Step, Story, Trail
from mailscope.trails.narrative.ways import in_order
from mailscope.trails.narrative.words import words
from mailscope.trails.search.marks import own_id
from mailscope.trails.search.query import Query
from mailscope.trails.search.wants import Found

ATTEMPT: Final = "delivery_attempted"
CAME_IN: Final = frozenset({"accepted", "rejected", "connection_denied", "login_failed"})
REFUSALS: Final = frozenset({"rejected", "connection_denied", "login_failed", "reject_warned", "discarded"})
# Refusals of one client further apart than this are told separately.
APART: Final = timedelta(minutes=10)
OF_ATTEMPT: Final[tuple[str, ...]] = (
    "orig_recipient", "relay_host", "relay_ip", "relay_port", "dsn_status", "reply_code", "reason", "cause",
    "blocklist", "delay_s", "delay_before_queue_s", "delay_in_queue_s", "delay_connect_s", "delay_transmit_s",
    "next_queue_id", "delivery_id", "stage", "client_host", "client_ip", "helo",
)  # fmt: skip


@dataclass
class Told:
    """The stories, the earliest first; how many more there are; matching lines that tell of no mail."""

    stories: list[Story]
    more: int
    other: int


def tell(query: Query, found: Found, followed: Followed, selection: Selection, limit: int) -> Told:
    """Put the stories together that a search has found."""
    matched = {
        id(line)
        for line in followed.lines
        if line.position in found.matched and _selected(line.step, selection)
    }
    trails = _trails(followed, matched)
    refused, other = _refused(followed, matched, -1)
    other += sum(
        line.trail is None and line.refusal is None and _selected(line.step, selection)
        for line in followed.lines
        if line.position in found.unowned
    )
    _prefer_own(query, [*trails, *refused])
    _add_verdicts(followed, refused)
    _add_sessions(found, followed, [*trails, *refused])
    _name_sessions(followed, [*trails, *refused])
    for trail in trails:
        _add_recipients(trail, followed)
        _add_mailboxes(trail)
    qp_of = {row["trail"]: row["qp"] for row in followed.messages.values() if row.get("qp") is not None}
    link(trails, qp_of)
    stories = [
        story for story in _stories([*trails, *refused]) if any(trail.matched for trail in story.trails)
    ]
    stories.sort(key=lambda story: _beginning(story.trails[0]))
    for story in stories[:limit]:
        for trail in story.trails:
            _time_steps(trail)
    return Told(stories[:limit], found.more + max(len(stories) - limit, 0), found.other + other)


def _selected(step: Step, selection: Selection) -> bool:
    """Whether a line is of the time and hosts that were asked for."""
    if selection.since is not None and (step.time is None or step.time < selection.since):
        return False
    if selection.until is not None and (step.time is None or step.time >= selection.until):
        return False
    return not selection.hosts or (step.host or "").lower() in {name.lower() for name in selection.hosts}


def _trails(followed: Followed, matched: set[int]) -> list[Trail]:
    trails: dict[int, Trail] = {}
    for line in followed.lines:
        if line.trail is None:
            continue
        trail = trails.get(line.trail)
        if trail is None:
            row = followed.messages[line.trail]
            trail = trails[line.trail] = Trail(
                number=line.trail,
                host=row["host"],
                instance=row["instance"],
                queue_id=row["queue_id"],
                first_time=row["first_time"],
                message_id=row["message_id"],
                sender=row["sender"],
                size_bytes=row["size_bytes"],
                ended=row["ended"],
            )
        trail.steps.append(line.step)
        trail.matched |= id(line) in matched
    return list(trails.values())


def _refused(followed: Followed, matched: set[int], number: int) -> tuple[list[Trail], int]:
    """Trails of matching lines that belong to no message; how many of them tell of no mail at all."""
    latest: dict[tuple[Any, ...], Trail] = {}
    trails: list[Trail] = []
    other = 0
    for line in followed.lines:
        step = line.step
        if line.trail is not None or line.refusal is not None or id(line) not in matched:
            continue
        queue_id = step.fields.get("queue_id") or _unread_id(step)
        if queue_id is None and step.event not in REFUSALS and step.event != ATTEMPT:
            other += 1
            continue
        key = (step.host, step.program, step.pid, step.fields.get("client_ip"), queue_id)
        trail = latest.get(key)
        if trail is None or step.pid is None or _apart(trail, step):
            trail = latest[key] = Trail(
                number=number,
                host=step.host,
                instance=step.instance,
                queue_id=queue_id,
                first_time=step.time,
                sender=step.fields.get("sender"),
                ended="refused" if step.event in REFUSALS else None,
                matched=True,
            )
            trails.append(trail)
            number -= 1
        trail.steps.append(step)
        status = "rejected" if step.event in REFUSALS else step.fields.get("status")
        if status and step.event != "login_failed":
            name = step.fields.get("recipient") or step.fields.get("user")
            _recipient(trail, name, status).attempts.append(_attempt(step, status))
    return trails, other


def _unread_id(step: Step) -> str | None:
    """The queue id of a line that no pattern knows."""
    found = own_id(step.raw.encode()) if step.event == "unrecognised" else None
    return found.decode("ascii", "replace") if found else None


def _apart(trail: Trail, step: Step) -> bool:
    last = trail.last_time
    return last is None or step.time is None or step.time - last > APART


def _recipient(trail: Trail, name: str | None, status: str) -> Recipient:
    for known in trail.recipients:
        if known.recipient == name:
            known.status = status
            return known
    trail.recipients.append(Recipient(name, status))
    return trail.recipients[-1]


def _attempt(step: Step, status: str) -> Attempt:
    fields = {name: step.fields[name] for name in OF_ATTEMPT if name in step.fields}
    return Attempt(step.time, status, fields)


def _prefer_own(query: Query, trails: Iterable[Trail]) -> None:
    """A queue id is the query of its own messages; of those that name it only if there are no own ones."""
    if query.id is None:
        return
    name = query.id.decode()
    if any(trail.queue_id == name for trail in trails):
        for trail in trails:
            trail.matched &= trail.queue_id == name


def _add_recipients(trail: Trail, followed: Followed) -> None:
    """The fate of each recipient, with the attempts that were made for it."""
    attempts: dict[str | None, list[Attempt]] = defaultdict(list)
    refused: dict[str, list[Attempt]] = defaultdict(list)
    begun: dict[str | None, None] = {}
    for step in trail.steps:
        name = step.fields.get("recipient")
        if is_mailbox(step):
            continue  # another program's word of it
        if step.event == ATTEMPT:
            attempts[name].append(_attempt(step, step.fields.get("status", "unknown")))
        elif step.event == "delivery_started":
            begun[name] = None
        elif step.event == "rejected" and name is not None:
            refused[name].append(_attempt(step, "rejected"))
    untried = 0
    for row in followed.recipients.get(trail.number, ()):
        if row["attempts"]:
            trail.recipients.append(
                Recipient(row["recipient"], row["fate"], attempts.pop(row["recipient"], []))
            )
        else:
            untried += row["recipients"]
    # qmail names a recipient when it begins to deliver; the end may lie beyond the log.
    for name in begun:
        if name is not None and all(known.recipient != name for known in trail.recipients):
            trail.recipients.append(Recipient(name, "queued" if trail.ended is None else "unknown"))
            untried -= 1
    for name, tries in refused.items():
        if all(known.recipient != name for known in trail.recipients):
            trail.recipients.append(Recipient(name, "rejected", tries))
            # Of a message that was refused as a whole, the recipients it had are not counted again.
            untried -= trail.ended == "refused"
    if untried > 0:
        fate = next(row["fate"] for row in followed.recipients[trail.number] if not row["attempts"])
        trail.recipients.append(Recipient(None, fate, count=untried))


def _add_mailboxes(trail: Trail) -> None:
    """What became of the message in each recipient's mailbox."""
    by_name = {known.recipient: known for known in trail.recipients}
    for step in trail.steps:
        if step.evidence is None or not is_mailbox(step) or outcome_of(step) is None:
            continue
        known = by_name.get(step.for_recipient) or (trail.recipients[0] if len(by_name) == 1 else None)
        if known is not None:
            known.mailbox.append(step)


def _add_verdicts(followed: Followed, refused: Iterable[Trail]) -> None:
    """What a policy service said before a refusal."""
    owner = {id(step): trail for trail in refused for step in trail.steps}
    for line in followed.lines:
        trail = owner.get(id(line.refusal.step)) if line.refusal is not None else None
        if trail is not None:
            trail.steps.append(line.step)


def _add_sessions(found: Found, followed: Followed, trails: Iterable[Trail]) -> None:
    """The client's connect, TLS and disconnect lines around an acceptance or a refusal."""
    by_position: dict[Any, Line] = {line.position: line for line in followed.lines}
    owner = {id(step): trail for trail in trails for step in trail.steps}
    for position, others in found.sessions.items():
        line = by_position.get(position)
        trail = owner.get(id(line.step)) if line is not None else None
        if trail is None:
            continue
        have = {step.order for step in trail.steps}
        for other in others:
            beside = by_position.get(other)
            if beside is not None and beside.trail is None and beside.step.order not in have:
                trail.steps.append(replace(beside.step, session=True))
    for trail in trails:
        trail.steps.sort(key=lambda step: step.order)


def _name_sessions(followed: Followed, trails: Iterable[Trail]) -> None:
    """The session that a message came in by, or in which mail was refused."""
    session_of = {id(line.step): line.session for line in followed.lines if line.session is not None}
    for trail in trails:
        for step in trail.steps:
            if step.event in CAME_IN and id(step) in session_of:
                trail.session = followed.sessions[session_of[id(step)]]
                break


def _stories(trails: list[Trail]) -> list[Story]:
    """Trails that are linked, directly or through others."""
    by_id: dict[str, Trail] = {trail.trail_id: trail for trail in trails}
    seen: set[str] = set()
    stories = []
    for trail in trails:
        if trail.trail_id in seen:
            continue
        pending, members = [trail.trail_id], []
        seen.add(trail.trail_id)
        while pending:
            current = by_id[pending.pop()]
            members.append(current)
            for entry in current.links:
                if entry.trail_id not in seen and entry.trail_id in by_id:
                    seen.add(entry.trail_id)
                    pending.append(entry.trail_id)
        stories.append(Story(in_order(members)))
    return stories


def _beginning(trail: Trail) -> tuple[datetime, tuple[int, int]]:
    """Stamps of a second's precision are often the same; then the order of the lines tells."""
    return trail.first_time or datetime.max, min((step.order for step in trail.steps), default=(0, 0))


def _time_steps(trail: Trail) -> None:
    """Say of each step what it was and how long after the one before."""
    before: datetime | None = None
    told: set[str] = set()
    for step in trail.steps:
        if step.time is not None:
            if before is not None:
                step.since_s = (step.time - before).total_seconds()
            before = step.time
        step.words = words(step, again=step.event in told)
        told.add(step.event)
