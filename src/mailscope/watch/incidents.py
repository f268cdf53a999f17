"""Signals become incidents: one finding for as long as a condition goes on, and when it is over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import ip_network
from typing import Final

from mailscope.language.phrase import Phrase
from mailscope.watch.detection import About
from mailscope.watch.finding import EVERYWHERE, Finding, Signal, Subject

# Of one attack, the part may be found this much before the whole.
SOON: Final = timedelta(seconds=60)
# A subject's fields, sorted; none: many subjects that are told as one.
Subjects = tuple[tuple[str, str], ...]
Key = tuple[str, Subjects]
TOGETHER: Subjects = ()
# Subjects of one incident that are told apart in its count.
MOST_COUNTED = 10_000


@dataclass
class Incidents:
    """The incidents that are open, and those that were over not long ago.

    ``folded``: the subjects that an incident of many stands for.
    """

    known: dict[Key, Finding] = field(default_factory=dict)
    folded: dict[str, set[Subjects]] = field(default_factory=dict)

    def take(self, about: About, signals: Iterable[Signal]) -> list[Finding]:
        """Enter the signals of one detection; gives the incidents that they begin, change or end."""
        changed: dict[str, Finding] = {}
        for signal in sorted(signals, key=lambda each: (each.time, sorted(each.subject.items()))):
            subject = tuple(sorted(signal.subject.items()))
            key = self._key(about, subject)
            before = self.known.get(key)
            if signal.over:
                if before is not None and before.over_time is None and key[1] == subject:
                    changed[before.id] = self.known[key] = replace(before, over_time=signal.time)
                continue
            if before is not None:
                before = changed[before.id] = _ended_by(before, signal.since, about)
                if before.over_time is not None and signal.since - before.over_time > _again(about):
                    changed[before.id] = replace(before, closed=True)
                    before = None
            found = Finding.of(about.name, signal) if before is None else before.with_signal(signal)
            if key[1] != subject:
                found = self._together(about, subject, found, begins=before is None)
            changed[found.id] = self.known[key] = found
        return list(changed.values())

    def pass_time(self, about: About, now: datetime) -> list[Finding]:
        """The incidents of a detection that are over, as nothing was heard of them, or closed at last."""
        ended = []
        for key, found in list(self.known.items()):
            if key[0] != about.name:
                continue
            if found.over_time is None:
                after = _ended_by(found, now, about)
                if after.over_time is not None:
                    self.known[key] = after
                    ended.append(after)
            elif now - found.over_time > _again(about):
                ended.append(replace(found, closed=True))
                del self.known[key]
        return ended

    def tell_of(self, about: About, signal: Signal) -> bool:
        """Whether an incident of a greater kind (``About.part_of``) tells of the same already; what has an
        incident of its own goes on in it.
        """
        own = self.known.get((about.name, tuple(sorted(signal.subject.items()))))
        if own is not None and own.over_time is None:
            return False
        return bool(about.part_of) and any(
            found.found_time - SOON <= signal.time
            and (found.over_time is None or signal.time <= found.over_time)
            and _covers(found.subject, signal.subject)
            for (name, _), found in self.known.items()
            if name in about.part_of
        )

    def open(self) -> list[Finding]:
        """The incidents that are not over."""
        return [found for found in self.known.values() if found.over_time is None]

    def _key(self, about: About, subject: Subjects) -> Key:
        """Which incident a signal belongs to; where too many are open already, the one for all others."""
        known = self.known.get((about.name, subject))
        if known is not None and known.over_time is None:
            return about.name, subject
        apart = sum(key[0] == about.name and key[1] != TOGETHER for key in self._open_keys())
        return about.name, subject if apart < about.most_apart else TOGETHER

    def _open_keys(self) -> Iterable[Key]:
        return (key for key, found in self.known.items() if found.over_time is None)

    def _together(self, about: About, subject: Subjects, found: Finding, *, begins: bool) -> Finding:
        """The incident of many subjects, with one more of them."""
        subjects = set() if begins else self.folded.setdefault(about.name, set())
        self.folded[about.name] = subjects
        if len(subjects) < MOST_COUNTED:
            subjects.add(subject)
        what = about.name.replace("_", " ")
        title = Phrase("{what}: {count} more at the same time", what=what, count=len(subjects))
        return replace(found, subject={}, title=title, subjects=len(subjects))


def _covers(greater: Subject, subject: Subject) -> bool:
    """Whether what one incident is about holds what another one is about."""
    return all(_holds(name, value, subject) for name, value in greater.items())


def _holds(name: str, value: str, subject: Subject) -> bool:
    if name == EVERYWHERE:
        return True
    if name != "network":
        return subject.get(name) == value
    inner = subject.get("client_ip") or subject.get("network")
    return inner is not None and _inside(inner, value)


@lru_cache(maxsize=4_096)
def _inside(inner: str, outer: str) -> bool:
    narrow, wide = ip_network(inner, strict=False), ip_network(outer, strict=False)
    return narrow.version == wide.version and narrow.subnet_of(wide)  # type: ignore[arg-type]


def _ended_by(found: Finding, instant: datetime, about: About) -> Finding:
    """An incident, over if nothing was heard of it for so long at some instant."""
    quiet = timedelta(seconds=about.quiet_s)
    if found.over_time is not None or instant - found.last_time <= quiet:
        return found
    return replace(found, over_time=found.last_time + quiet)


def _again(about: About) -> timedelta:
    return timedelta(seconds=about.again_s)
