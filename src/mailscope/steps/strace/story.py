"""The ways that traces tell of: files in, a ``Way`` for each message out, the earliest first.

Where no file of a queue is seen at all (only execve was kept of a trace, say), the one way is that of the
programs that were started.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from mailscope.language.phrase import Phrase
from mailscope.steps.daemons import DUTIES
from mailscope.steps.strace.acts import Telling, acts_of
from mailscope.steps.strace.calls import Trace
from mailscope.steps.strace.deeds import Deed
from mailscope.steps.strace.order import in_order
from mailscope.steps.strace.owners import UNNAMED, Owners
from mailscope.steps.strace.programs import Program, meet, programs
from mailscope.steps.way import GONE, Act, Clock, Lane, Process, Stay, Way

MAILERS: Final = ("postdrop", "sendmail")


@dataclass
class Told:
    """The ways, all processes, and counts: lines read, damaged ones, calls of which a half is missing."""

    ways: list[Way]
    processes: list[Process]
    clock: Clock
    lines: int = 0
    damaged: int = 0
    cut: int = 0
    where: list[tuple[str, list[int]]] = field(default_factory=list)


def tell(traces: Sequence[Trace]) -> Told:
    """Put the ways together."""
    deeds, clock = in_order(traces)
    known = programs(deeds, traces)
    meet(deeds, known)
    owners = Owners(deeds, known)
    owners.find()
    telling = Telling(owners, known)
    processes = [_process(program, known, clock) for program in known.values()]
    names = [trace.name for trace in traces]
    origin = ", ".join(names) if len(names) < 3 else f"{posixpath.commonprefix(names)}*"
    by_mail: dict[str, list[Deed]] = {}
    for deed in deeds:
        if deed.mail is not None:
            by_mail.setdefault(deed.mail, []).append(deed)
    ways = [
        _way(telling, mails, by_mail, origin, clock, processes)
        for mails in owners.groups()
        if any(
            deed.place is not None or deed.kind == "named" for mail in mails for deed in by_mail.get(mail, ())
        )
    ]
    if not ways:
        every = [(each.executed.at, each) for each in known.values() if each.executed is not None]
        placed = [*_started(telling, every), *acts_of(telling, deeds)]
        notes = [Phrase("no file of a queue is seen in it: this is what its programs did")]
        acts = [act for _, act in sorted(placed, key=_place)]
        ways = [Way([], origin, clock, acts, [], processes, notes)] if acts else []
    for way in ways:
        _without_clock(way)
    return Told(
        ways,
        processes,
        clock,
        sum(trace.lines for trace in traces),
        sum(trace.damaged for trace in traces),
        sum(trace.cut for trace in traces),
        [(trace.name, trace.where) for trace in traces if trace.where],
    )


def _way(
    telling: Telling,
    mails: list[str],
    by_mail: dict[str, list[Deed]],
    origin: str,
    clock: Clock,
    processes: list[Process],
) -> Way:
    deeds = sorted((deed for mail in mails for deed in by_mail.get(mail, ())), key=lambda deed: deed.at)
    placed = [pair for mail in mails for pair in acts_of(telling, by_mail.get(mail, []))]
    placed += _started(telling, _starters(telling, deeds, clock))
    acts = [act for _, act in sorted(placed, key=_place)]
    way = Way([mail for mail in mails if not mail.startswith(UNNAMED)], origin, clock, acts)
    way.stays = _stays(way, deeds)
    pids = {lane.pid for lane in way.lanes}
    way.processes = [each for each in processes if each.lane.pid in pids]
    for one, two, how in telling.owners.links:
        if one in mails:
            way.notes.append(_LINKED[how](one, two))
    return way


_LINKED: Final = {
    "taken": lambda one, two: Phrase("{one} of maildrop was taken over as {two}", one=one, two=two),
    "bounce": lambda one, two: Phrase("{two} is the notice to the sender of {one}", one=one, two=two),
    "copy": lambda one, two: Phrase("{two} was made of {one}", one=one, two=two),
}


def _place(pair: tuple[int, Act]) -> int:
    return pair[0]


Starters = list[tuple[int, Program]]


def _starters(telling: Telling, deeds: list[Deed], clock: Clock) -> Starters:
    """Processes that were started for a message: who brought it, and daemons that connections woke.

    Each with the place of its start among the deeds.
    """
    found: dict[int, tuple[int, Program]] = {}
    first = telling.first_accepted
    for deed in deeds:
        program = telling.known[deed.pid]
        if deed.kind == "made" or (deed.to is not None and deed.to.queue == "maildrop"):
            while program.pid not in found and program.executed is not None and not program.of_master:
                found[program.pid] = program.executed.at, program
                if program.parent not in telling.known:
                    break
                program = telling.known[program.parent]
        elif deed.kind == "connected" and deed.met is not None:
            other = telling.known[deed.met.pid]
            # Files without a clock do not tell that it came after the connection; its first one it was.
            woken = clock == "none" and first.get(other.pid) is deed.met
            if other.executed is not None and (other.executed.at > deed.at or woken):
                found[other.pid] = max(other.executed.at, deed.at), other
    return list(found.values())


def _started(telling: Telling, starters: Starters) -> list[tuple[int, Act]]:
    acts = []
    for place, program in starters:
        deed = program.executed
        assert deed is not None
        by = Lane("master") if program.parent is None and program.of_master else None
        if program.parent is not None:
            by = telling.lane(program.parent)
        lane, duty = telling.lane(program.pid), DUTIES.get(program.name)
        if by is None:
            words = Phrase("begins: {duty}", duty=duty) if duty else Phrase("begins")
            acts.append((place, Act(deed.time, lane, None, "started", words)))
            continue
        words = Phrase("starts {program}", program=program.name)
        if duty:
            words = Phrase("starts {program}: {duty}", program=program.name, duty=duty)
        acts.append((place, Act(deed.time, by, lane, "started", words)))
    return acts


def _stays(way: Way, deeds: list[Deed]) -> list[Stay]:
    """In which queue each file stood, from when to when."""
    stays: list[Stay] = []
    latest: dict[str, Stay] = {}
    for deed in deeds:
        mail, place = deed.mail or "", deed.to if deed.kind == "moved" else deed.place
        if place is None or not place.holds_mail or deed.kind not in ("made", "moved", "removed", "opened"):
            continue
        stay = latest.get(mail)
        if (
            deed.kind == "moved"
            and deed.place is not None
            and stay is None
            and deed.place.queue != place.queue
        ):
            stay = latest[mail] = Stay(deed.place.queue, mail, None)
            stays.append(stay)
        if stay is not None and (stay.queue != place.queue or deed.kind == "removed"):
            stay.until, stay.left = deed.time, True
        if deed.kind == "removed":
            if stay is None:
                stays.append(Stay(place.queue, mail, None, deed.time, left=True))
            latest.pop(mail, None)
        elif stay is None or stay.queue != place.queue:
            since = None if deed.kind == "opened" else deed.time
            latest[mail] = Stay(place.queue, mail, since)
            stays.append(latest[mail])
    for stay in stays:
        if stay.queue_id.startswith(UNNAMED):
            stay.queue_id = ""
    return [stay for stay in stays if stay.queue != GONE]


def _process(program: Program, known: dict[int, Program], clock: Clock) -> Process:
    executed, exited = program.executed, program.exited
    timed = clock != "none"
    return Process(
        Lane(program.name, program.pid or None),
        program.parent if program.parent in known else None,
        " ".join(program.words),
        DUTIES.get(program.name),
        executed.time if executed is not None and timed else None,
        exited.time if exited is not None and timed else None,
        program.ended,
    )


def _without_clock(way: Way) -> None:
    """Times of which nothing is known together are not shown; how long single calls took is."""
    if way.clock == "none":
        for act in way.acts:
            act.time = None
        for stay in way.stays:
            stay.since = stay.until = None
