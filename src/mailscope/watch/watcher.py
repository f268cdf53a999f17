"""All detections together: batches in, the findings that begin, change or end out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import polars as pl

from mailscope.trails.steps import FIELDS
from mailscope.vocabulary.settings.settings import Settings
from mailscope.watch.detection import About, Detection, Frames, Site
from mailscope.watch.finding import Finding
from mailscope.watch.incidents import Incidents
from mailscope.watch.logins import NEEDS_SUCCESSES, successes
from mailscope.watch.own.detection import OwnDetection
from mailscope.watch.own.files import Definition
from mailscope.watch.places import Places
from mailscope.watch.registry import DETECTIONS
from mailscope.watch.seen import Seen
from mailscope.watch.waiting import Latest

# What is remembered for all detections that look at logins.
PLACES: Final = "places"


@dataclass
class Watcher:
    """Some detections and what they have found.

    ``spent_s``: seconds that each has taken so far.
    """

    detections: list[Detection]
    incidents: Incidents = field(default_factory=Incidents)
    spent_s: dict[str, float] = field(default_factory=dict)
    places: Places = field(default_factory=Places)
    now: datetime | None = None

    @classmethod
    def of(
        cls,
        settings: Settings,
        only: Iterable[str] = (),
        own: Iterable[Definition] = (),
        more: Iterable[Detection] = (),
        queue: Latest | None = None,
    ) -> Watcher:
        """The detections that the settings switch on, and an admin's ``own``; ``only`` some, where named.

        ``more``: those that look at something else than logs.  ``queue``: what the queue itself held last.
        """
        site, tables = Site.of(settings, queue), settings.detections
        wanted = set(only) or {name for name in DETECTIONS if getattr(tables, name).enabled}
        ours = [make(getattr(tables, name), site) for name, make in DETECTIONS.items() if name in wanted]
        mine = [OwnDetection(each) for each in own if (each.own.name in wanted if only else each.own.enabled)]
        return cls([*ours, *mine, *more])

    def needs(self) -> dict[str, frozenset[str]]:
        """The fields that detections and stories look at, by kind of event."""
        found: dict[str, set[str]] = {kind: set(fields) for kind, fields in FIELDS.items()}
        for kind, fields in NEEDS_SUCCESSES.items():
            found.setdefault(kind, set()).update(fields)
        for detection in self.detections:
            for kind, fields in detection.needs.items():
                found.setdefault(kind, set()).update(fields)
        return {kind: frozenset(fields) for kind, fields in found.items()}

    def see(self, seen: Seen, failed: Callable[[str, Exception], None] | None = None) -> list[Finding]:
        """Look at a batch.

        ``failed``: is told of a detection that raises, which is then left out; otherwise the error is
        raised.
        """
        if self.now is not None and seen.now < self.now:
            seen.now = self.now
        self.now = seen.now
        begun = time.perf_counter()
        seen.places = self.places
        seen.arrivals = self.places.learn(successes(seen), seen.now)
        self._spend(PLACES, begun)
        changed: dict[str, Finding] = {}
        for detection in list(self.detections):
            begun = time.perf_counter()
            about = detection.about
            try:
                signals = [each for each in detection.see(seen) if not self.incidents.tell_of(about, each)]
            except Exception as error:
                if failed is None:
                    raise
                failed(about.name, error)
                self.detections.remove(detection)
                continue
            for finding in self.incidents.take(about, signals):
                changed[finding.id] = finding
            for finding in self.incidents.pass_time(about, seen.now):
                changed[finding.id] = finding
            self._spend(about.name, begun)
        # Of a detection that is no more, nothing will be heard: what it found ends, too.
        for name in {key[0] for key in self.incidents.known} - {each.about.name for each in self.detections}:
            for finding in self.incidents.pass_time(About(name, "", "", "", ""), seen.now):
                changed[finding.id] = finding
        return list(changed.values())

    def kept(self) -> tuple[dict[str, pl.DataFrame], dict[str, Any]]:
        """What the detections remember: frames, named DETECTION/NAME (or ``PLACES``/NAME, for all), and the
        rest as JSON holds it.
        """
        states = {PLACES: self.places.state()} | {each.about.name: each.state() for each in self.detections}
        frames = {f"{owner}/{name}": frame for owner, held in states.items() for name, frame in held.items()}
        folded = {name: sorted(subjects) for name, subjects in self.incidents.folded.items()}
        return frames, {"now": self.now.isoformat() if self.now else None, "folded": folded}

    def resume(self, frames: Frames, about: Mapping[str, Any], findings: Iterable[Finding]) -> None:
        """Go on with what was kept, and with the incidents that are not closed."""
        self.places.resume(_of(PLACES, frames))
        for detection in self.detections:
            detection.resume(_of(detection.about.name, frames))
        self.now = datetime.fromisoformat(about["now"]) if about.get("now") else None
        for name, subjects in about.get("folded", {}).items():
            self.incidents.folded[name] = {tuple((key, value) for key, value in each) for each in subjects}
        for finding in findings:
            self.incidents.known[finding.detection, tuple(sorted(finding.subject.items()))] = finding

    def _spend(self, name: str, begun: float) -> None:
        self.spent_s[name] = self.spent_s.get(name, 0.0) + time.perf_counter() - begun


def _of(owner: str, frames: Frames) -> dict[str, pl.DataFrame]:
    """What one of them kept, by its own names."""
    begin = f"{owner}/"
    return {name.removeprefix(begin): frame for name, frame in frames.items() if name.startswith(begin)}
