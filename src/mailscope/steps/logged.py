"""The way of a message as its log tells it: the lines of a story, as acts between daemons.

In: a story of ``trails.narrative``.  Out: a ``Way``.  A log tells when a program did something, not when
another handed it the message: who did is known (``daemons.GIVEN_BY``), when is worked out from the delays of
Postfix's deliveries (before the queue, in it, connecting, transmitting: postconf(5), ``delay_logging_*``).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from mailscope.language.phrase import Phrase
from mailscope.steps.daemons import AGENTS, DUTIES, GIVEN_BY
from mailscope.steps.way import GONE, Act, Lane, Process, Stay, Way
from mailscope.trails.narrative.trail import Step, Story, Trail

ATTEMPT: Final = "delivery_attempted"
# In which queue of Postfix the file is after such a line.
QUEUE_AFTER: Final = {
    "accepted": "incoming", "queued": "active", "held": "hold", "removed": GONE, "deleted": GONE,
}  # fmt: skip
# Deliveries that are no network's: the relay is the program itself.
OWN_RELAYS: Final = frozenset({"local", "virtual", "none", "error", "discard", "avcheck", ""})
BAD: Final = frozenset({"bounced", "expired", "rejected", "deferred"})


def way_of(story: Story) -> Way:
    """One story, with all its trails."""
    hosts = list(dict.fromkeys(trail.host for trail in story.trails))
    way = Way(
        [trail.queue_id for trail in story.trails if trail.queue_id],
        ", ".join(host for host in hosts if host),
        "epoch",
    )
    known: dict[tuple[int, str], Lane] = {}
    stays: dict[int, Stay] = {}
    for stay in story.steps():
        for trail, step in stay:
            if not step.session:
                _step(way, trail, step, known, stays, several=len(hosts) > 1)
    for trail in story.trails:
        for link in trail.links:
            if link.direction == "to" and link.queue_id and trail.queue_id:
                way.notes.append(Phrase("{two} came of {one}", one=trail.queue_id, two=link.queue_id))
    way.processes = [
        Process(lane, None, "", DUTIES.get(lane.name.partition("@")[0]), None, None, "")
        for lane in way.lanes
        if lane.pid is not None
    ]
    return way


def _step(
    way: Way,
    trail: Trail,
    step: Step,
    known: dict[tuple[int, str], Lane],
    stays: dict[int, Stay],
    *,
    several: bool,
) -> None:
    service = step.service or step.program or "-"
    name = f"{service}@{step.host}" if several and step.host else service
    lane = Lane(name, step.pid)
    time = seconds(step.time)
    givers = ((trail.number, each) for each in GIVEN_BY.get(service, ()))
    giver = next((known[key] for key in givers if key in known), None)
    fresh = (trail.number, service) not in known
    known[trail.number, service] = lane
    act = Act(time, lane, None, step.event, _words(step), queue_id=trail.queue_id)
    if step.event == ATTEMPT:
        _attempt(way, act, step, giver)
    elif fresh and giver is not None:
        act.by, act.to = giver, lane
    elif (client := _client(step)) is not None:
        act.by, act.to = client, lane
    if _is_postfix(step):
        act.queue = _queue_after(step)
    elif step.event in ("accepted", "removed"):
        act.queue = "queue" if step.event == "accepted" else GONE
    _stay(way, trail, act, time, stays)
    way.acts.append(act)


def _words(step: Step) -> Phrase:
    return step.words if isinstance(step.words, Phrase) else Phrase("{text}", text=step.words)


def _is_postfix(step: Step) -> bool:
    return step.instance is not None or (step.program or "").startswith("postfix/")


def _queue_after(step: Step) -> str | None:
    if step.event == ATTEMPT:
        return "deferred" if step.fields.get("status") == "deferred" else None
    return QUEUE_AFTER.get(step.event)


def _client(step: Step) -> Lane | None:
    """Who sent the message, where the line says it."""
    if step.event not in ("accepted", "connected", "rejected"):
        return None
    host, ip = step.fields.get("client_host"), step.fields.get("client_ip")
    known = host if host not in (None, "unknown") else None
    return Lane(str(known or ip)) if known or ip else None


def _attempt(way: Way, act: Act, step: Step, giver: Lane | None) -> None:
    """A delivery: when it was handed out, to whom it went, how long that took."""
    fields = step.fields
    parts = [fields.get(f"delay_{part}_s") for part in ("before_queue", "in_queue", "connect", "transmit")]
    spent = None
    if parts[2] is not None and parts[3] is not None:
        spent = float(parts[2]) + float(parts[3])
    if act.time is not None and spent is not None:
        # Stamps of whole seconds are coarser than delays: nothing was handed out before it was there to be.
        before = [each.time for each in way.acts if giver in (each.by, each.to) and each.time is not None]
        earliest, begun = max(before, default=None), act.time - spent
        act.time, act.took_s = begun if earliest is None else min(max(begun, earliest), act.time), spent
    if giver is not None and (step.service in AGENTS):
        words = Phrase("hands the message out for delivery")
        start = Act(act.time, giver, act.by, "delivery_started", words, queue_id=act.queue_id, sure=False)
        way.acts.append(start)
    relay = fields.get("relay_host") or fields.get("relay_ip") or ""
    if relay not in OWN_RELAYS:
        act.to = Lane(str(relay))
    status = fields.get("status")
    act.good = True if status == "sent" else False if status in BAD else None
    if all(part is not None for part in parts):
        names = ("before_s", "in_s", "connect_s", "transmit_s")
        way.notes.append(
            Phrase(
                "{to}: {before_s} s before the queue, {in_s} s in it, {connect_s} s connecting, "
                "{transmit_s} s transmitting",
                to=fields.get("recipient") or "-",
                **dict(zip(names, (f"{part:g}" for part in parts if part is not None), strict=True)),
            )
        )


def _stay(way: Way, trail: Trail, act: Act, time: float | None, stays: dict[int, Stay]) -> None:
    if act.queue is None:
        return
    latest = stays.get(trail.number)
    if latest is not None and not latest.left:
        if latest.queue == act.queue:
            return
        latest.until, latest.left = time, True
    if act.queue != GONE:
        stays[trail.number] = Stay(act.queue, trail.queue_id or "", time)
        way.stays.append(stays[trail.number])


def seconds(time: datetime | None) -> float | None:
    """A naive UTC time as seconds since 1970."""
    return None if time is None else time.replace(tzinfo=UTC).timestamp()
