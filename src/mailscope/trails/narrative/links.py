"""Which trail led to which, and what in the log shows it.

A phrase of the log (``claims``) names another message by its queue id, or by the pid of qmail-queue.  Ids are
reused, and what a remote server says of them is only a claim; so the other message must have begun at the
right time: shortly before its id is told (a reply), or right after (a notification).  What no phrase names is
looked for by what else is told of it (``scripted``, ``unnamed``).  How sure a link is: ``trust``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from mailscope.trails.narrative.claims import Claim, claims
from mailscope.trails.narrative.joining import CLOCKS, LATEST, SOONEST, Joining
from mailscope.trails.narrative.scripted import link_scripted
from mailscope.trails.narrative.trail import Trail
from mailscope.trails.narrative.trust import agreements, of_told_id
from mailscope.trails.narrative.unnamed import link_unnamed

NEAR: Final = timedelta(minutes=10)


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
    joining = Joining()
    for trail in known:
        for step in trail.steps:
            for claim in claims(step):
                candidates = by_id[claim.queue_id] if claim.queue_id else by_qp[claim.qp or -1]
                other = _choose(trail, claim, candidates)
                if other is not None:
                    _enter(joining, trail, claim, other)
    link_scripted(joining, known)
    link_unnamed(joining, known)


def _choose(trail: Trail, claim: Claim, candidates: Iterable[Trail]) -> Trail | None:
    """The candidate that was there at the time, the nearest of several."""
    best: tuple[bool, timedelta, Trail] | None = None
    for other in candidates:
        if other is trail or other.first_time is None or claim.step.time is None:
            continue
        here = other.host == trail.host
        if not here and claim.kind not in ("relayed", "filtered"):
            continue
        span = other.first_time - claim.step.time
        if not _in_time(claim, span, timedelta(0) if here else CLOCKS):
            continue
        entry = (not here, abs(span), other)
        if best is None or entry[:2] < best[:2]:
            best = entry
    return best[2] if best else None


def _in_time(claim: Claim, span: timedelta, slack: timedelta) -> bool:
    if claim.back:
        # The origin is older than its successor; it may have waited for days.
        return span <= LATEST + slack
    if claim.qp is not None:
        return abs(span) <= NEAR + slack
    return -SOONEST - slack <= span <= LATEST + slack


def _enter(joining: Joining, trail: Trail, claim: Claim, other: Trail) -> None:
    earlier, later = (other, trail) if claim.back else (trail, other)
    step = None if claim.back else claim.step
    agrees = agreements(earlier, later, step)
    confidence = of_told_id(earlier, later, agrees)
    if confidence is not None:
        kind = claim.kind
        if kind in ("relayed", "filtered"):
            # Handed on within one host, it went through a content filter (or another instance).
            kind = "filtered" if earlier.host == later.host else "relayed"
        joining.enter(earlier, later, kind, claim.evidence, confidence, agrees, step)
