"""Score what detections found against what was injected.

    cd benchmarks; python -m simulation.score LABELS.json FINDINGS.jsonl

The goals: at least 18 of 20 incidents found, in the median within 5 minutes from when they could be known, at
most 3 false findings a week. A new place of somebody who travels is counted apart: it is so, and harmless.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

from simulation.matching import Finding, Incident, Trip, instant

FOUND_SHARE, MEDIAN_DELAY, FALSE_A_WEEK = 18 / 20, timedelta(minutes=5), 3.0


@dataclass
class Score:
    """What came of it."""

    incidents: list[Incident]
    trips: list[Trip]
    weeks: float
    false: list[Finding] = field(default_factory=list)
    harmless: list[Finding] = field(default_factory=list)

    @classmethod
    def of(cls, labels: dict[str, Any], findings: list[Finding]) -> Score:
        """Hold findings against labels."""
        trips = [Trip(trip["user"], instant(trip["start"]), instant(trip["end"])) for trip in labels["trips"]]
        score = cls([Incident.of(label) for label in labels["incidents"]], trips, labels["days"] / 7)
        for finding in sorted(findings, key=lambda each: each.found):
            taken = [incident.take(finding) for incident in score.incidents]
            if any(taken):
                continue
            if any(trip.explains(finding) for trip in trips):
                score.harmless.append(finding)
            else:
                score.false.append(finding)
        return score

    @property
    def found(self) -> list[Incident]:
        """Give the incidents that were found."""
        return [incident for incident in self.incidents if incident.found]

    @property
    def median_delay(self) -> timedelta | None:
        """Give the median delay of what was found."""
        delays = [each.delay.total_seconds() for each in self.found if each.delay is not None]
        return timedelta(seconds=median(delays)) if delays else None

    @property
    def false_a_week(self) -> float:
        """Give how many false findings a week has."""
        return len(self.false) / self.weeks

    @property
    def goals(self) -> dict[str, bool]:
        """Say which goals are met; those about incidents hold where there are none."""
        delay = self.median_delay
        return {
            "found": len(self.found) >= FOUND_SHARE * len(self.incidents),
            "delay": not self.incidents or (delay is not None and delay < MEDIAN_DELAY),
            "false": self.false_a_week <= FALSE_A_WEEK,
        }

    def table(self) -> str:
        """Write the tables in Markdown."""
        rows = [
            "| Incident | Begins | Found by | After it could be known | After it began | Also true |",
            "|---|---|---|---|---|---|",
        ]
        for incident in self.incidents:
            first, delay = incident.found, incident.delay
            also = ", ".join(sorted({each.detection for each in incident.followers}))
            when = f"{incident.start:%m-%d %H:%M}"
            if first is None or delay is None:
                rows.append(f"| {incident.kind}, {incident.variant} | {when} | **missed** | | | {also} |")
                continue
            rows.append(
                f"| {incident.kind}, {incident.variant} | {when} | {first.detection} | {short(delay)} | "
                f"{short(first.found - incident.start)} | {also} |"
            )
        delay = self.median_delay
        goals = {name: "met" if met else "**not met**" for name, met in self.goals.items()}
        rows += [
            "", "| Figure | | Goal | |", "|---|---|---|---|",
            f"| Incidents found | {len(self.found)} of {len(self.incidents)} | 18 of 20 | {goals['found']} |",
            f"| Median delay | {'-' if delay is None else short(delay)} | under 5 min | {goals['delay']} |",
            f"| False findings a week | {self.false_a_week:.1f} | at most 3 | {goals['false']} |",
            f"| New places of travellers a week | {len(self.harmless) / self.weeks:.1f} | - | |",
            "", "| Detection | Found | Also true | Harmless | False | of them info |",
            "|---|---|---|---|---|---|",
        ]  # fmt: skip
        return "\n".join([*rows, *self._by_detection()]) + "\n"

    def _by_detection(self) -> list[str]:
        finders = Counter(each.detection for incident in self.incidents for each in incident.findings)
        also = Counter(each.detection for incident in self.incidents for each in incident.followers)
        harmless, false = (
            Counter(each.detection for each in self.harmless),
            Counter(each.detection for each in self.false),
        )
        info = Counter(each.detection for each in self.false if each.severity == "info")
        return [
            f"| {name} | {finders[name]} | {also[name]} | {harmless[name]} | {false[name]} | {info[name]} |"
            for name in sorted({*finders, *also, *harmless, *false})
        ]

    def as_dict(self) -> dict[str, Any]:
        """Give the figures for programs."""
        delay = self.median_delay
        return {
            "found": [f"{incident.kind}_{incident.variant}" for incident in self.found],
            "missed": [f"{each.kind}_{each.variant}" for each in self.incidents if not each.found],
            "median_delay_s": None if delay is None else delay.total_seconds(),
            "false_a_week": self.false_a_week,
            "false": [
                [each.detection, each.found.isoformat(), each.severity, each.title] for each in self.false
            ],
            "harmless": len(self.harmless),
            "goals": self.goals,
        }


def short(time: timedelta) -> str:
    """Write a duration: 40 s, 12 min, 3.5 h."""
    seconds = time.total_seconds()
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def read_findings(path: Path) -> list[Finding]:
    """Read findings, one JSON object a line; raises ValueError with file and line."""
    findings = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.strip():
            try:
                findings.append(Finding.of(json.loads(line)))
            except ValueError as wrong:
                raise ValueError(f"{path}:{number}: {wrong}") from None
    return findings


def main(arguments: list[str]) -> int:
    """Run the command; the exit code is 1 where a goal is not met and `--check` was given."""
    parser = argparse.ArgumentParser(description="Score findings against labels.")
    parser.add_argument("labels", type=Path)
    parser.add_argument("findings", type=Path)
    parser.add_argument("--json", action="store_true", help="figures as JSON, with every false finding")
    parser.add_argument("--false", action="store_true", help="list the false findings")
    parser.add_argument("--check", action="store_true", help="fail if a goal is not met")
    options = parser.parse_args(arguments)
    try:
        score = Score.of(json.loads(options.labels.read_text()), read_findings(options.findings))
    except ValueError as wrong:
        sys.exit(f"score: {wrong}")
    if options.json:
        print(json.dumps(score.as_dict(), indent=1))
    else:
        print(score.table(), end="")
        if options.false:
            for each in score.false:
                about = f"{each.detection} ({each.severity}) {' '.join(each.subject)}"
                print(f"{each.found:%m-%d %H:%M} {about}: {each.title}")
    return 1 if options.check and not all(score.goals.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
