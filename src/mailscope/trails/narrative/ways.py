"""The order of the trails of a story, and the way that a message took through them.

Hosts' clocks differ, so that stamps do not tell which of two hosts had a message first; the links do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mailscope.trails.narrative.joining import hop_to
from mailscope.trails.narrative.trail import Trail


@dataclass(frozen=True)
class Stay:
    """A message on one host: ``seconds`` until it was handed on or its last delivery (None: not told)."""

    host: str | None
    seconds: float | None


def in_order(trails: Sequence[Trail]) -> list[Trail]:
    """Each trail after those that led to it, and what came of one before what came of the next."""
    by_id = {trail.trail_id: trail for trail in trails}
    waiting = {
        trail.trail_id: {
            entry.trail_id for entry in trail.links if entry.direction == "from" and entry.trail_id in by_id
        }
        for trail in trails
    }
    rest = {trail.trail_id: trail for trail in sorted(trails, key=_beginning)}
    out: list[Trail] = []
    pending: list[str] = []
    while rest:
        if not pending:
            # Where links go round in a circle, the earliest of it.
            pending.append(next((name for name in rest if not waiting[name]), next(iter(rest))))
        current = rest.pop(pending.pop(), None)
        if current is None:
            continue
        out.append(current)
        following = []
        for entry in current.links:
            if entry.direction == "to" and entry.trail_id in rest:
                waiting[entry.trail_id].discard(current.trail_id)
                if not waiting[entry.trail_id]:
                    following.append(rest[entry.trail_id])
        pending += [trail.trail_id for trail in sorted(following, key=_beginning, reverse=True)]
    return out


def way_to(trail: Trail, trails: Sequence[Trail], until: datetime | None) -> list[Stay]:
    """The hosts that a message passed until a delivery of its last trail, the first one first."""
    by_id = {each.trail_id: each for each in trails}
    last = None if until is None or trail.first_time is None else (until - trail.first_time).total_seconds()
    stays = [Stay(trail.host, None if last is None else max(last, 0.0))]
    seen = {trail.trail_id}
    current = trail
    while (entry := hop_to(current)) is not None and entry.trail_id in by_id and entry.trail_id not in seen:
        seen.add(entry.trail_id)
        current = by_id[entry.trail_id]
        stay = Stay(current.host, entry.after_s)
        if stay.host == stays[0].host:
            stays[0] = Stay(stay.host, _sum(stay.seconds, stays[0].seconds))
        else:
            stays.insert(0, stay)
    return stays


def in_all(stays: Sequence[Stay]) -> float | None:
    """Seconds of a whole way; None where those of one host are not told."""
    total: float | None = 0.0
    for stay in stays:
        total = _sum(total, stay.seconds)
    return total


def _sum(one: float | None, two: float | None) -> float | None:
    return None if one is None or two is None else one + two


def _beginning(trail: Trail) -> tuple[datetime, str, tuple[int, int], str]:
    """Stamps of a second's precision are often the same; then the order of the lines of a host tells."""
    order = min((step.order for step in trail.steps), default=(0, 0))
    return trail.first_time or datetime.max, trail.host or "", order, trail.trail_id
