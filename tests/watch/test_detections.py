"""Each detection fires on its log and stays quiet on its look-alike.

``tests/data/detections/NAME/``: ``fires.log``, ``quiet.log`` and ``expected.json``, a list of findings: detection,
subject, severity and found_time.  On ``quiet.log`` no detection finds anything.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from watching import found_in

from mailscope.trails import story
from mailscope.trails.tracker import Outcome
from mailscope.vocabulary.bundles import bundled, unbundled
from mailscope.vocabulary.settings.settings import Settings
from mailscope.watch.finding import Finding
from mailscope.watch.registry import DETECTIONS, abouts
from mailscope.watch.seen import Seen
from mailscope.watch.watcher import Watcher

DATA = Path(__file__).parents[1] / "data" / "detections"


def told(findings: list[Finding]) -> list[dict[str, Any]]:
    return sorted(
        (
            {name: finding.plain()[name] for name in ("detection", "subject", "severity", "found_time")}
            for finding in findings
        ),
        key=json.dumps,
    )


@pytest.mark.parametrize("name", DETECTIONS)
def test_it_fires_on_its_log(name: str) -> None:
    expected = json.loads((DATA / name / "expected.json").read_text(encoding="utf-8"))
    found = told(found_in(DATA / name / "fires.log"))
    assert found == sorted(expected, key=json.dumps)
    assert name in {each["detection"] for each in found}


@pytest.mark.parametrize("name", DETECTIONS)
def test_it_stays_quiet_on_what_looks_alike(name: str) -> None:
    assert told(found_in(DATA / name / "quiet.log")) == []


@pytest.mark.parametrize("name", DETECTIONS)
def test_how_the_log_is_cut_changes_no_incident(name: str) -> None:
    whole = {(each.detection, *each.subject.items()) for each in found_in(DATA / name / "fires.log")}
    for size in (2_000, 20_000):
        cut = found_in(DATA / name / "fires.log", chunk_bytes=size)
        assert {(each.detection, *each.subject.items()) for each in cut} == whole


@pytest.mark.parametrize("name", DETECTIONS)
def test_its_findings_have_what_a_person_needs(name: str) -> None:
    for finding in found_in(DATA / name / "fires.log", name):
        assert finding.title
        assert finding.lines or finding.figures
        assert finding.first_time <= finding.found_time <= finding.last_time
        json.dumps(finding.plain())


def test_each_says_what_it_is_and_has_settings() -> None:
    for about in abouts():
        for words in (about.sees, about.why, about.false_positives, about.advice):
            assert words.endswith("."), about.name
        assert getattr(Settings().detections, about.name).enabled in (True, False)


@pytest.mark.parametrize("name", DETECTIONS)
def test_time_may_pass_without_a_line(name: str) -> None:
    watcher = Watcher.of(Settings(), [name])
    for minute in range(3):
        now = datetime(2026, 3, 1, 12, minute)
        assert watcher.see(Seen([], Outcome(**story.nothing()), story.empty(), now)) == []


class Restarted(Watcher):
    """Begins anew before each batch, with no more than what was kept, as the daemon does after a stop."""

    def see(self, seen: Seen, failed: Callable[[str, Exception], None] | None = None) -> list[Finding]:
        frames, about = self.kept()
        fresh = Watcher.of(Settings(), [each.about.name for each in self.detections])
        fresh.resume(*unbundled(bundled(frames, about)), self.incidents.known.values())
        self.detections, self.places, self.incidents = fresh.detections, fresh.places, fresh.incidents
        return super().see(seen, failed)


@pytest.mark.parametrize("name", DETECTIONS)
def test_a_stop_at_any_line_changes_no_incident(name: str) -> None:
    log = DATA / name / "fires.log"
    whole = {(each.detection, *each.subject.items(), each.severity) for each in found_in(log)}
    rng = Random(name)
    for _ in range(3):
        size = rng.randint(log.stat().st_size // 40, log.stat().st_size // 3)
        cut = found_in(log, chunk_bytes=size, kind=Restarted)
        assert {(each.detection, *each.subject.items(), each.severity) for each in cut} == whole, size
