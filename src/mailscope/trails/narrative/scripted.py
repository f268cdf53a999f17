"""What the script of a mailbox sent: a copy to another address, or an answer to the sender.

The mailbox program (Dovecot's Sieve) tells to whom, and not under which queue id; the MTA tells a message to
that address, of that moment.  A copy keeps the Message-ID; an answer has one of its own, that begins with
``dovecot-sieve-`` (pigeonhole, sieve-message.c).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Final

from mailscope.trails.narrative.joining import CLOCKS, LATEST, Joining, hop_to
from mailscope.trails.narrative.trail import Step, Trail
from mailscope.trails.search.marks import ANSWER

# From the script's word until the MTA has taken the message; before it, as scripts tell when it is done.
SOON: Final = timedelta(minutes=10)


def link_scripted(joining: Joining, trails: Sequence[Trail]) -> None:
    """Link what the scripts of mailboxes say that they sent with the message that it became."""
    for trail in trails:
        for step in trail.steps:
            name = step.fields.get("recipient")
            if step.evidence is None or step.time is None or not name:
                continue
            if step.event == "redirected" and trail.message_id:
                other = _sent(step, name, trails, lambda each: each.message_id == trail.message_id)  # noqa: B023
                if other is not None and other is not trail:
                    _enter(joining, trail, other, step, "forwarded", f"forwarded to <{name}>")
            elif step.fields.get("action") == "vacation":
                other = _sent(step, name, trails, _is_answer)
                if other is not None:
                    _enter(joining, trail, other, step, "notified", f"sent vacation response to <{name}>")


def _is_answer(trail: Trail) -> bool:
    return (trail.message_id or "").startswith(ANSWER)


def _sent(step: Step, name: str, trails: Iterable[Trail], fits: Callable[[Trail], bool]) -> Trail | None:
    """The message to an address that began nearest to a line, on its host rather than on another."""
    near: list[tuple[bool, timedelta, str, Trail]] = []
    for trail in trails:
        if trail.first_time is None or step.time is None or hop_to(trail) is not None or not fits(trail):
            continue
        here = trail.host == step.host
        slack = timedelta(0) if here else CLOCKS
        span = trail.first_time - step.time
        to = {(each.recipient or "").lower() for each in trail.recipients}
        if -LATEST - slack <= span <= SOON + slack and name.lower() in to:
            near.append((not here, abs(span), trail.trail_id, trail))
    return min(near, key=lambda entry: entry[:3])[3] if near else None


def _enter(joining: Joining, trail: Trail, other: Trail, step: Step, kind: str, evidence: str) -> None:
    sure = kind == "forwarded" and other.host == step.host
    joining.enter(trail, other, kind, evidence, "certain" if sure else "likely")
