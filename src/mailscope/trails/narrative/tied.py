"""Policy services' words join the message, or the refusal, that they are of, by whom they tell of.

In: lines with and without a trail.  Out: more lines with a trail or a refusal, with what agrees
(``Step.evidence``) and how sure it is: ``likely`` if only one message or refusal fits and the sender agrees,
else ``possible``.  It fits if client, sender and recipient do not differ where both tell them
(``search.ties``) and the time is between the client's connect, or the end of its message before, and
the end of taking this one in.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from mailscope.trails.narrative.joins import Line
from mailscope.trails.narrative.trail import Step
from mailscope.trails.search.ties import Tie, tie_of

# Where the connect is not known: a service asked at RCPT answers within smtpd_policy_service_timeout, 100 s,
# but hardly ever needs more.
BEFORE: Final = timedelta(seconds=60)
# A policy host's clock may differ; beyond this a message of the same client is as likely another one.
CLOCKS: Final = timedelta(seconds=10)
_TOLD: Final = {"client_ip": "client={}", "sender": "from=<{}>", "recipient": "to=<{}>"}


@dataclass
class _Candidate:
    """A message that was taken in, or a recipient that was refused.

    ``told``: its client, sender and recipients; a name that is missing is not known.
    """

    line: Line
    time: datetime
    first: datetime
    last: datetime
    told: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def agreement(self, step: Step, tie: Tie) -> list[str] | None:
        """The fields in which it agrees with a line; None where it is not that line's."""
        if step.time is None:
            return None
        if step.host == self.line.step.host:  # one clock, but stamps may be cut to whole seconds
            fits = _second(self.first) <= _second(step.time) <= _second(self.last)
        else:
            fits = self.first - CLOCKS <= step.time <= self.last + CLOCKS
        if not fits:
            return None
        agreed = []
        for name in (*tie.needs, *tie.agree):
            value, known = _plain(step.fields.get(name)), self.told.get(name)
            if value is not None and known and value in known:
                agreed.append(name)
            elif name in tie.needs or (value is not None and known):
                return None
        return agreed


def join_tied(lines: Sequence[Line], messages: Mapping[int, Mapping[str, Any]]) -> None:
    """Give lines of policy services without a trail the message or the refusal that they are of."""
    waiting = [(line, tie) for line in lines if line.trail is None and (tie := tie_of(line.step.service))]
    if not waiting:
        return
    candidates = sorted(_candidates(lines, messages), key=lambda each: each.time)
    times = [each.time for each in candidates]
    longest = max((each.time - each.first for each in candidates), default=timedelta(0)) + CLOCKS
    lasting = max((each.last - each.time for each in candidates), default=timedelta(0)) + CLOCKS
    for line, tie in waiting:
        time = line.step.time
        if time is not None:
            upto = bisect_left(times, time + longest)
            _join(line, tie, candidates[bisect_left(times, time - lasting) : upto])


def _join(line: Line, tie: Tie, candidates: Sequence[_Candidate]) -> None:
    step = line.step
    fitting = [(each, agreed) for each in candidates if (agreed := each.agreement(step, tie)) is not None]
    if not fitting:
        return
    here = [pair for pair in fitting if pair[0].line.step.host == step.host]
    chosen, agreed = max(here or fitting, key=lambda pair: _rank(step, *pair))
    if chosen.line.trail is not None:
        line.trail = chosen.line.trail
    else:
        line.refusal = chosen.line
    step.evidence = ", ".join(_TOLD[name].format(_plain(step.fields[name])) for name in agreed)
    # Of other messages of the client no more may be known than that; where the recipient agrees, they are
    # hardly ever for the same one.
    rivals = [each for each, shared in fitting if len(shared) == len(agreed) or "recipient" not in agreed]
    messages = {each.line.trail if each.line.trail is not None else id(each.line) for each in rivals}
    step.confidence = "likely" if len(messages) == 1 and "sender" in agreed else "possible"


def _rank(step: Step, candidate: _Candidate, agreed: list[str]) -> tuple[Any, ...]:
    """What agrees in most; then the nearest, and of those the one that the answer stands before."""
    line = candidate.line.step
    assert step.time is not None
    return (
        len(agreed),
        -abs(candidate.time - step.time),
        line.order > step.order,
        line.order if line.order < step.order else (-line.order[0], -line.order[1]),
    )


def _candidates(lines: Sequence[Line], messages: Mapping[int, Mapping[str, Any]]) -> Iterable[_Candidate]:
    """The messages that were taken in, and the refusals."""
    of_trail: dict[int, list[Step]] = defaultdict(list)
    for line in lines:
        if line.trail is not None:
            of_trail[line.trail].append(line.step)
    free: dict[int, datetime] = {}  # when a session's client connected, or its message before was taken in
    for line in lines:
        step, session = line.step, line.session
        if step.time is not None and session is not None and step.event == "connected":
            free[session] = step.time
        if step.time is None or step.event not in ("accepted", "rejected"):
            continue
        first = step.time - BEFORE if session is None else free.get(session, step.time - BEFORE)
        candidate = _Candidate(line, step.time, min(first, step.time), step.time)
        mine = [step]
        if step.event == "accepted" and line.trail is not None:
            mine = of_trail[line.trail]
            candidate.last = _taken_in(mine, step.time)
            if session is not None:
                free[session] = candidate.last
            _tell(candidate.told["sender"], messages[line.trail]["sender"])
        _tell(candidate.told["client_ip"], step.fields.get("client_ip"))
        for each in mine:
            if each.event in ("accepted", "rejected", "queued"):
                _tell(candidate.told["sender"], each.fields.get("sender"))
            if each.event != "rejected" or each is step:
                _tell(candidate.told["recipient"], each.fields.get("recipient"))
                _tell(candidate.told["recipient"], each.fields.get("orig_recipient"))
        yield candidate


def _taken_in(steps: Iterable[Step], accepted: datetime) -> datetime:
    """When all of a message was there: when it was queued, or the last that is known of it before."""
    times: dict[str, list[datetime]] = defaultdict(list)
    for step in steps:
        if step.time is not None and step.time >= accepted:
            times[step.event].append(step.time)
    return min(times["queued"], default=max(times["identified"], default=accepted))


def _second(time: datetime) -> datetime:
    return time.replace(microsecond=0)


def _tell(names: set[str], value: Any) -> None:
    plain = _plain(value)
    if plain is not None:
        names.add(plain)


def _plain(value: Any) -> str | None:
    """An address as both sides may write it."""
    return None if value is None else str(value).strip('<>"').lower()
