"""What a detection says (a signal) and what a person is told (a finding: one incident, from begin to end)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from mailscope.language.phrase import Phrase

Severity = Literal["info", "warning", "critical"]
SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warning", "critical")
# What a finding is about: fields of events (``user``, ``client_ip`` ...) and their values.
Subject = Mapping[str, str]
Figure = float | int | str
# In a subject: it is about no single client.
EVERYWHERE: Final = "clients"
MOST_LINES: Final = 10
MOST_REASONS: Final = 20


@dataclass(frozen=True, slots=True)
class Line:
    """A log line that shows it: where it stands, when it was written (UTC) and its words."""

    source: str
    number: int
    time: datetime
    raw: str


@dataclass(frozen=True)
class Signal:
    """A detection's condition holds.

    ``time``: the instant of the log at which it could be known; ``since``: where what it tells of begins.
    ``figures``: the numbers that made it, with units in their names.  ``over``: that it holds no more.
    ``score``: 0 to 100, where a detection weighs several reasons.  ``subject`` says which incident it belongs
    to: signals of one detection with equal subjects are one incident while they follow each other.
    """

    subject: Subject
    time: datetime
    since: datetime
    severity: Severity
    title: Phrase
    figures: Mapping[str, Figure] = field(default_factory=dict)
    reasons: tuple[Phrase, ...] = ()
    lines: tuple[Line, ...] = ()
    score: float | None = None
    over: bool = False


@dataclass(frozen=True)
class Finding:
    """One incident.

    ``first_time`` and ``last_time``: the span of what it tells of; ``found_time``: the instant of the log
    at which it was found.  ``over_time``: since when it is over, None while it is not.  ``signals``: how
    often the condition held; ``episodes``: how often it came back soon after it was over.  ``subjects``: how
    many there are, where several were made one.  ``closed``: that it does not change any more.
    """

    id: str
    detection: str
    subject: Subject
    severity: Severity
    title: Phrase
    first_time: datetime
    last_time: datetime
    found_time: datetime
    figures: Mapping[str, Figure]
    reasons: tuple[Phrase, ...]
    lines: tuple[Line, ...]
    score: float | None = None
    signals: int = 1
    episodes: int = 1
    subjects: int = 1
    over_time: datetime | None = None
    closed: bool = False

    @classmethod
    def of(cls, detection: str, signal: Signal) -> Finding:
        """A new incident."""
        return cls(
            id=identify(detection, signal.subject, signal.since),
            detection=detection,
            subject=dict(signal.subject),
            severity=signal.severity,
            title=signal.title,
            first_time=signal.since,
            last_time=signal.time,
            found_time=signal.time,
            figures=dict(signal.figures),
            reasons=signal.reasons[:MOST_REASONS],
            lines=signal.lines[:MOST_LINES],
            score=signal.score,
        )

    def with_signal(self, signal: Signal) -> Finding:
        """The incident after one more signal: what is worst stays, the first lines stay."""
        worse = SEVERITIES.index(signal.severity) >= SEVERITIES.index(self.severity)
        newest = signal.time >= self.last_time
        told = worse and newest
        lines = {(each.source, each.number): each for each in (*self.lines, *signal.lines)}
        return replace(
            self,
            severity=signal.severity if worse else self.severity,
            title=signal.title if told else self.title,
            figures=dict(signal.figures) if told else self.figures,
            first_time=min(self.first_time, signal.since),
            last_time=max(self.last_time, signal.time),
            reasons=self._reasons(signal)[:MOST_REASONS],
            lines=tuple(lines.values())[:MOST_LINES],
            score=max((each for each in (self.score, signal.score) if each is not None), default=None),
            signals=self.signals + 1,
            episodes=self.episodes + (self.over_time is not None),
            over_time=None,
        )

    def _reasons(self, signal: Signal) -> tuple[Phrase, ...]:
        """All that were told; where they make a score, those that made the highest one."""
        if signal.score is not None and self.score is not None:
            return signal.reasons if signal.score >= self.score else self.reasons
        return tuple({_same(each): each for each in (*self.reasons, *signal.reasons)}.values())

    def plain(self) -> dict[str, Any]:
        """The finding as JSON holds it: instants as ISO texts in UTC.

        Title and reasons are Phrases still: JSON has the English texts, and who shows them may translate.
        """
        return {
            "id": self.id,
            "detection": self.detection,
            "severity": self.severity,
            "state": "open" if self.over_time is None else "over",
            "title": self.title,
            "subject": dict(self.subject),
            "first_time": _iso(self.first_time),
            "last_time": _iso(self.last_time),
            "found_time": _iso(self.found_time),
            "over_time": None if self.over_time is None else _iso(self.over_time),
            "score": self.score,
            "figures": dict(self.figures),
            "reasons": list(self.reasons),
            "signals": self.signals,
            "episodes": self.episodes,
            "subjects": self.subjects,
            "lines": [
                {"source": each.source, "line_number": each.number, "time": _iso(each.time), "raw": each.raw}
                for each in self.lines
            ],
        }


def identify(detection: str, subject: Subject, since: datetime) -> str:
    """The name of an incident: the same lines, read again, give the same name."""
    told = json.dumps([detection, sorted(subject.items()), since.isoformat()])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _same(reason: Phrase) -> tuple[str, ...]:
    """What tells reasons apart: their words; where only figures differ, the newest is told."""
    words = (value for value in reason.values.values() if isinstance(value, str))
    return (reason.template, *words)


def _iso(instant: datetime) -> str:
    return instant.isoformat(timespec="microseconds") + "Z"
