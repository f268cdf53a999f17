"""Entering links into trails, on both sides: what they show, and how long each hop took."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from mailscope.trails.narrative.claims import is_delivered
from mailscope.trails.narrative.trail import Link, Step, Trail
from mailscope.trails.narrative.trust import Confidence
from mailscope.trails.steps import ADDRESS

# The other message begins at most so long before, and after, the line that names it.  An SMTP server
# gives an id when MAIL FROM comes, and tells it when the whole message is there.
SOONEST: Final = timedelta(hours=2)
LATEST: Final = timedelta(seconds=10)
# Hosts' clocks differ.
CLOCKS: Final = timedelta(minutes=5)
# With these the message itself goes on; notifications are messages of their own, as are copies.
HOPS: Final = ("filtered", "relayed", "forwarded", "requeued")
# A stamp may be cut to whole seconds.
STAMP_S: Final = 1.0


@dataclass
class Joining:
    """``spent``: deliveries (by identity of their line) that led to a message that is known."""

    spent: set[int] = field(default_factory=set)

    def enter(
        self,
        earlier: Trail,
        later: Trail,
        kind: str,
        evidence: str,
        confidence: Confidence,
        agrees: Iterable[str] = (),
        step: Step | None = None,
    ) -> None:
        """Enter a link; of several that join the same two trails the first, with the recipients of all.

        ``step``: the line of the earlier trail that tells it.
        """
        handed = step is not None and is_delivered(step)
        if step is not None and handed:
            self.spent.add(id(step))
        entry = next(
            (each for each in earlier.links if each.trail_id == later.trail_id and each.direction == "to"),
            None,
        )
        if entry is None:
            entry = Link(kind, "to", later.trail_id, later.queue_id, evidence, confidence, list(agrees))
            mirrored = Link(kind, "from", earlier.trail_id, earlier.queue_id, evidence, confidence)
            # What both sides know is held once.
            mirrored.agrees, mirrored.recipients = entry.agrees, entry.recipients
            earlier.links.append(entry)
            later.links.append(mirrored)
        if step is not None:
            if handed:
                entry.recipients += [name for name in recipients_of(step) if name not in entry.recipients]
            entry.agrees += [name for name in agrees if name not in entry.agrees]
        _measure(earlier, later, entry, step)


def recipients_of(step: Step) -> list[str | None]:
    """Whose delivery a line tells of: Sendmail's may name several."""
    several = step.fields.get("recipients")
    if several is None:
        return [step.fields.get("recipient")]
    return [name.strip("<> ") for name in re.findall(ADDRESS, several)]


def hop_to(trail: Trail) -> Link | None:
    """The link with which a message came here; None where it began here."""
    return next((entry for entry in trail.links if entry.direction == "from" and entry.kind in HOPS), None)


def _measure(earlier: Trail, later: Trail, entry: Link, step: Step | None) -> None:
    """How long the earlier trail had the message, and what the hosts' clocks differ by at least.

    On one host from beginning to beginning; between hosts by the earlier one's clock, until it began to hand
    the message over.
    """
    if earlier.first_time is None or later.first_time is None or entry.after_s is not None:
        return
    if earlier.host == later.host:
        after: float | None = (later.first_time - earlier.first_time).total_seconds()
    elif step is not None and step.time is not None:
        handing_s = float(step.fields.get("delay_transmit_s") or 0)
        after = (step.time - earlier.first_time).total_seconds() - handing_s
        ahead = (later.first_time - step.time).total_seconds()
        behind = -ahead - handing_s - float(step.fields.get("delay_connect_s") or 0)
        if ahead > STAMP_S:
            entry.clock_s = round(ahead - STAMP_S, 1)
        elif behind > STAMP_S:
            entry.clock_s = -round(behind - STAMP_S, 1)
    else:
        after = None
    entry.after_s = None if after is None else round(max(after, 0.0), 3)
    for mirrored in later.links:
        if mirrored.trail_id == earlier.trail_id and mirrored.direction == "from":
            mirrored.after_s, mirrored.clock_s = entry.after_s, entry.clock_s
