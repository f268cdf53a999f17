"""Which trail led to which, and what in the log shows it.

A phrase of the log (``search.marks``) names another message by its queue id, or by the pid of qmail-queue.
Ids are reused, and what a remote server says of them is only a claim; so the other message must have
begun at the right time: shortly before its id is told (a reply), or right after (a notification).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from mailscope.trails.narrative.trail import Link, Step, Trail
from mailscope.trails.search.marks import MARKS

# The other message begins at most so long before, and after, the line that names it.  An SMTP server
# gives an id when MAIL FROM comes, and tells it when the whole message is there.
SOONEST: Final = timedelta(hours=2)
LATEST: Final = timedelta(seconds=10)
# Hosts' clocks differ.
CLOCKS: Final = timedelta(minutes=5)
NEAR: Final = timedelta(minutes=10)
# A pipe(8) filter hands its message to sendmail while, or right after, it is delivered to.
PIPED: Final = timedelta(minutes=2)
_QP: Final = {mark.kind: mark.regex for mark in MARKS if mark.names == "qp"}
_FORWARDED: Final = re.compile(next(m.text for m in MARKS if m.kind == "forwarded" and m.names == "queue_id"))
# What an acceptance that names another id means, and how the id is named there.
_ORIGINS: Final = {"pickup": ("requeued", "orig_id"), "exim": ("bounced", "R")}
# Postfix; Sendmail, whose receipts are DSNs too.
BOUNCED: Final = re.compile(r"non-delivery|^return to sender: |^DSN: (?!Return receipt)")


@dataclass(frozen=True)
class _Claim:
    """One trail's line says that another is its successor (or, ``back``, its origin)."""

    kind: str
    step: Step
    evidence: str
    queue_id: str | None = None
    qp: int | None = None
    back: bool = False


def link(trails: Iterable[Trail], qp_of: dict[int, int]) -> None:
    """Enter the links into the trails, on both sides.  ``qp_of``: by number of the trail."""
    known = list(trails)
    by_id: dict[str, list[Trail]] = defaultdict(list)
    by_qp: dict[int, list[Trail]] = defaultdict(list)
    for trail in known:
        if trail.queue_id is not None:
            by_id[trail.queue_id].append(trail)
        if trail.number in qp_of:
            by_qp[qp_of[trail.number]].append(trail)
    for trail in known:
        for step in trail.steps:
            for claim in _claims(step):
                candidates = by_id[claim.queue_id] if claim.queue_id else by_qp[claim.qp or -1]
                other = _choose(trail, claim, candidates)
                if other is not None:
                    earlier, later = (other, trail) if claim.back else (trail, other)
                    _enter(
                        earlier,
                        later,
                        _kind(claim.kind, earlier, later),
                        claim.evidence,
                        _sure(earlier, later),
                    )
    _sent_on(known)
    _same_message(known)


def _claims(step: Step) -> Iterator[_Claim]:
    fields = step.fields
    reason = str(fields.get("reason", ""))
    if step.event == "delivery_attempted" and fields.get("status") == "sent":
        forwarded = _FORWARDED.search(step.text)
        if forwarded and step.service in ("local", "virtual"):
            yield _Claim("forwarded", step, f"forwarded as {forwarded[1]}", forwarded[1])
        elif fields.get("next_queue_id"):
            yield _Claim("relayed", step, f"queued as {fields['next_queue_id']}", fields["next_queue_id"])
        for kind in ("relayed", "forwarded"):
            for found in _QP[kind].finditer(f" {reason}"):
                yield _Claim(kind, step, found[0].strip(" _"), qp=int(found[1]))
    elif step.event == "bounced_to_sender" and fields.get("next_queue_id"):
        kind = "bounced" if BOUNCED.search(reason) else "notified"
        yield _Claim(kind, step, f"{reason}: {fields['next_queue_id']}", fields["next_queue_id"])
    elif step.event == "bounced_to_sender" and fields.get("qp") is not None:
        yield _Claim("bounced", step, step.text, qp=fields["qp"])
    elif step.event == "accepted" and fields.get("orig_queue_id"):
        kind, name = _ORIGINS.get(step.service or "", ("filtered", "orig_queue_id"))
        yield _Claim(kind, step, f"{name}={fields['orig_queue_id']}", fields["orig_queue_id"], back=True)
    elif fields.get("next_queue_id") and fields.get("action") == "proxy-accept":
        yield _Claim("filtered", step, f"queued as {fields['next_queue_id']}", fields["next_queue_id"])


def _choose(trail: Trail, claim: _Claim, candidates: Iterable[Trail]) -> Trail | None:
    """The candidate that was there at the time, the nearest of several."""
    best: tuple[bool, timedelta, Trail] | None = None
    for other in candidates:
        if other is trail or other.first_time is None or claim.step.time is None:
            continue
        here = other.host == trail.host
        if not here and claim.kind not in ("relayed", "filtered"):
            continue
        span = other.first_time - claim.step.time
        if not _in_time(claim, span, other, timedelta(0) if here else CLOCKS):
            continue
        entry = (not here, abs(span), other)
        if best is None or entry[:2] < best[:2]:
            best = entry
    return best[2] if best else None


def _in_time(claim: _Claim, span: timedelta, other: Trail, slack: timedelta) -> bool:
    if claim.back:
        # The origin is older than its successor; it may have waited for days.
        return span <= LATEST + slack
    if claim.qp is not None:
        return abs(span) <= NEAR + slack
    return -SOONEST - slack <= span <= LATEST + slack


def _kind(kind: str, earlier: Trail, later: Trail) -> str:
    """A message handed on within one host went through a content filter (or another instance)."""
    if kind in ("relayed", "filtered"):
        return "filtered" if earlier.host == later.host else "relayed"
    return kind


def _sure(earlier: Trail, later: Trail) -> bool:
    same = earlier.message_id is not None and earlier.message_id == later.message_id
    return same or earlier.host == later.host


def _enter(earlier: Trail, later: Trail, kind: str, evidence: str, sure: bool) -> None:
    confidence: Literal["certain", "likely"] = "certain" if sure else "likely"
    if any(entry.trail_id == later.trail_id and entry.direction == "to" for entry in earlier.links):
        return
    earlier.links.append(Link(kind, "to", later.trail_id, later.queue_id, evidence, confidence))
    later.links.append(Link(kind, "from", earlier.trail_id, earlier.queue_id, evidence, confidence))


def _sent_on(trails: list[Trail]) -> None:
    """What a filter script of a mailbox sent on: the same Message-ID to the address that the script names."""
    for trail in trails:
        for step in trail.steps:
            name = step.fields.get("recipient")
            if step.event != "redirected" or step.evidence is None or not name or step.time is None:
                continue
            for other in trails:
                if (
                    other is not trail
                    and trail.message_id
                    and other.message_id == trail.message_id
                    and other.first_time is not None
                    and -LATEST - CLOCKS <= other.first_time - step.time <= NEAR
                    and any((each.recipient or "").lower() == name.lower() for each in other.recipients)
                ):
                    _enter(trail, other, "forwarded", f"forwarded to <{name}>", sure=other.host == step.host)
                    break


def _same_message(trails: list[Trail]) -> None:
    """The same Message-ID on another host or instance, or behind a pipe(8) filter on the same one."""
    groups: dict[str, list[Trail]] = defaultdict(list)
    for trail in trails:
        if trail.message_id and trail.first_time is not None and trail.queue_id is not None:
            groups[trail.message_id].append(trail)
    for message_id, group in groups.items():
        group.sort(key=lambda trail: (trail.first_time, trail.number))
        for index, later in enumerate(group[1:], 1):
            for earlier in reversed(group[:index]):
                evidence = f"message-id=<{message_id}>"
                if _linked(earlier, later):
                    break
                if (earlier.host, earlier.instance) != (later.host, later.instance):
                    kind = "relayed" if earlier.host != later.host else "same_message"
                    _enter(earlier, later, kind, evidence, sure=False)
                    break
                if _piped(earlier, later):
                    _enter(earlier, later, "filtered", evidence, sure=False)
                    break


def _linked(earlier: Trail, later: Trail) -> bool:
    return any(entry.trail_id == later.trail_id for entry in earlier.links)


def _piped(earlier: Trail, later: Trail) -> bool:
    """Whether a program was given the earlier message when the later one was handed in."""
    if later.first_time is None or not any(step.service == "pickup" for step in later.steps[:3]):
        return False
    return any(
        step.event == "delivery_attempted"
        and step.service == "pipe"
        and step.fields.get("status") == "sent"
        and step.time is not None
        and -LATEST <= step.time - later.first_time <= PIPED
        for step in earlier.steps
    )
