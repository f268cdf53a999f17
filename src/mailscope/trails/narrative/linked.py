"""What the links of a story tell a person: which message became which, and by which way."""

from __future__ import annotations

from typing import Final

from mailscope.language.phrase import Phrase
from mailscope.language.translator import Translator
from mailscope.trails.narrative.joining import HOPS, hop_to
from mailscope.trails.narrative.trail import Link, Recipient, Story, Trail
from mailscope.trails.narrative.ways import in_all, way_to

KINDS: Final = {
    "filtered": Phrase("went through a filter and came back as"),
    "relayed": Phrase("was handed on as"),
    "forwarded": Phrase("was forwarded as"),
    "bounced": Phrase("led to the bounce"),
    "notified": Phrase("led to the notification"),
    "requeued": Phrase("was queued anew as"),
    "same_message": Phrase("was seen again as"),
}
SURE: Final = {
    "certain": Phrase("certain"),
    "likely": Phrase("likely"),
    "possible": Phrase("possible"),
}
MADE_HERE: Final = {"bounced": Phrase("the bounce"), "notified": Phrase("the notification")}


def told(trail: Trail, entry: Link, numbers: dict[str, str], tr: Translator, *, raw: bool) -> str:
    """One link: what became of a message, after how long, and what shows it."""
    line = f"{numbers[trail.trail_id]} {tr(KINDS[entry.kind])} {numbers[entry.trail_id]}"
    if entry.after_s is not None:
        line += " " + tr("after {span}", span=span(entry.after_s))
    shown = [entry.evidence]
    if raw and entry.agrees:
        shown.append(tr("{what} agree", what=", ".join(entry.agrees)))
    if raw or entry.confidence != "certain":
        shown.append(tr(SURE[entry.confidence]))
    if entry.clock_s is not None:
        ahead = Phrase("its clock is at least {span} ahead", span=span(entry.clock_s))
        behind = Phrase("its clock is at least {span} behind", span=span(-entry.clock_s))
        shown.append(tr(ahead if entry.clock_s > 0 else behind))
    return f"{line} ({', '.join(shown)})"


def passed_on(story: Story, trail: Trail) -> set[str | None]:
    """Recipients whose way goes on in another trail of the story."""
    here = {other.trail_id for other in story.trails}
    return {
        name
        for entry in trail.links
        if entry.direction == "to" and entry.kind in HOPS and entry.trail_id in here
        for name in entry.recipients
    }


def label_of(story: Story, trail: Trail, tr: Translator) -> str:
    """What kind of message this is within the story, where it is not simply the message."""
    by_id = {other.trail_id: other for other in story.trails}
    seen: set[str] = set()
    current: Trail | None = trail
    while current is not None and current.trail_id not in seen:
        seen.add(current.trail_id)
        for entry in current.links:
            if entry.direction == "from" and entry.kind in MADE_HERE:
                return f" ({tr(MADE_HERE[entry.kind])})"
        hop = hop_to(current)
        current = by_id.get(hop.trail_id) if hop is not None else None
    return ""


def way_of(story: Story, trail: Trail, recipient: Recipient, tr: Translator) -> str:
    """The hosts that a recipient's message passed, and how long each had it; empty for a single one."""
    until = recipient.attempts[-1].time if recipient.attempts else None
    stays = way_to(trail, story.trails, until)
    if len(stays) < 2:
        return ""
    hosts = [
        (stay.host or "-") + ("" if stay.seconds is None else f" {span(stay.seconds)}") for stay in stays
    ]
    total = in_all(stays)
    if total is None:
        return tr("by way of {hosts}", hosts=", ".join(hosts))
    return tr("by way of {hosts}; {span} in all", hosts=", ".join(hosts), span=span(total))


def span(seconds: float) -> str:
    """A span of time that is not negative, for people: 0.25s, 1m05s, 2h03m, 1d04h."""
    if seconds < 60:
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest:02}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours < 24 else f"{hours // 24}d{hours % 24:02}h"
