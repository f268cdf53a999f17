"""All detections together: batches in, the findings that begin, change or end out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mailscope.trails.steps import FIELDS
from mailscope.vocabulary.settings.settings import Settings
from mailscope.watch.detection import Detection, Frames, Site
from mailscope.watch.finding import Finding
from mailscope.watch.incidents import Incidents
from mailscope.watch.registry import DETECTIONS
from mailscope.watch.seen import Seen


@dataclass
class Watcher:
    """Some detections and what they have found.

    ``spent_s``: seconds that each has taken so far.
    """

    detections: list[Detection]
    incidents: Incidents = field(default_factory=Incidents)
    spent_s: dict[str, float] = field(default_factory=dict)
    now: datetime | None = None

    @classmethod
    def of(cls, settings: Settings, only: Iterable[str] = ()) -> Watcher:
        """The detections that the settings switch on; ``only`` some of them, where any is named."""
        site, tables = Site.of(settings), settings.detections
        wanted = set(only) or {name for name in DETECTIONS if getattr(tables, name).enabled}
        return cls([make(getattr(tables, name), site) for name, make in DETECTIONS.items() if name in wanted])

    def needs(self) -> dict[str, frozenset[str]]:
        """The fields that detections and stories look at, by kind of event."""
        found: dict[str, set[str]] = {kind: set(fields) for kind, fields in FIELDS.items()}
        for detection in self.detections:
            for kind, fields in detection.needs.items():
                found.setdefault(kind, set()).update(fields)
        return {kind: frozenset(fields) for kind, fields in found.items()}

    def see(self, seen: Seen) -> list[Finding]:
        """Look at a batch."""
        if self.now is not None and seen.now < self.now:
            seen.now = self.now
        self.now = seen.now
        changed: dict[str, Finding] = {}
        for detection in self.detections:
            begun = time.perf_counter()
            about = detection.about
            for finding in self.incidents.take(about, detection.see(seen)):
                changed[finding.id] = finding
            for finding in self.incidents.pass_time(about, seen.now):
                changed[finding.id] = finding
            self.spent_s[about.name] = self.spent_s.get(about.name, 0.0) + time.perf_counter() - begun
        return list(changed.values())

    def state(self) -> Mapping[str, Frames]:
        """What each detection remembers, by its name."""
        return {detection.about.name: detection.state() for detection in self.detections}
