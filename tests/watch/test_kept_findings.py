"""Findings in the store: what the daemon finds is what is found in the files, whatever happens in between."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running import examples
from storing import Feeder, arrivals
from test_detections import DATA
from watching import found_in

from mailscope.language.phrase import Phrase, Told
from mailscope.language.translator import translator
from mailscope.privacy.person import Person
from mailscope.store.database import Database
from mailscope.store.erasing import erase
from mailscope.vocabulary.settings.settings import Settings
from mailscope.watch.finding import Finding, Line
from mailscope.watch.rows import from_row, to_rows
from mailscope.watch.seen import Seen
from mailscope.watch.watcher import Watcher
from mailscope.watch.watching import Watching

NAMES = ("brute_force", "password_spraying", "distributed_guessing")
LOG = sorted(
    (line for name in NAMES for line in (DATA / name / "fires.log").read_bytes().splitlines(keepends=True)),
    key=lambda line: line[:15],
)


def watching() -> Watching:
    return Watching(lambda: Watcher.of(Settings(), NAMES), pytest.fail)


def kept(database: Database) -> list[dict[str, Any]]:
    rows = database.frame("select * from findings order by detection, subject").to_dicts()
    # Which bucket is seen whole depends on how the lines come.
    varying = (
        "signals",
        "found_time",
        "last_time",
        "figures",
        "title",
        "phrases",
        "lines",
        "over_time",
        "closed",
    )
    return [{name: value for name, value in row.items() if name not in varying} for row in rows]


@given(
    cuts=st.sets(st.integers(1, len(LOG) - 1), max_size=8),
    crashes=st.sets(st.integers(0, 8)),
    kept_at=st.sets(st.integers(0, 8)),
)
@settings(
    max_examples=examples(8), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_restarts_and_crashes_change_no_finding(
    tmp_path_factory: pytest.TempPathFactory, cuts: set[int], crashes: set[int], kept_at: set[int]
) -> None:
    directory = tmp_path_factory.mktemp("store")
    feeder = Feeder(directory, watching())
    for number, arrival in enumerate(arrivals(LOG, cuts)):
        feeder.feed(arrival)
        if number in kept_at:
            feeder.writer.checkpoint()
        if number in crashes:
            feeder.close()
            feeder = Feeder(directory, watching())
    found = kept(feeder.database)
    feeder.close()
    log = directory / "whole.log"
    log.write_bytes(b"".join(LOG))
    expected = {(each.detection, tuple(each.subject.items())): each for each in found_in(log, *NAMES)}
    assert [row["detection"] for row in found] == sorted(name for name, _ in expected)
    assert {row["id"] for row in found} == {each.id for each in expected.values()}


def test_a_finding_comes_back_from_its_row() -> None:
    at = datetime(2026, 3, 1, 12, 0, 1, 5)
    finding = Finding(
        id="0123456789abcdef", detection="brute_force", subject={"user": "{anna}", "client_ip": "192.0.2.1"},
        severity="critical", title=Phrase("{count} of {who}", count=3, who=Phrase("{name}", name="{x}")),
        first_time=at, last_time=at + timedelta(1), found_time=at, figures={"failures": 3, "share": 0.5},
        reasons=(Phrase("because of {what}", what="</script>"),), lines=(Line("mail.log", 7, at, "raw \x1b"),),
        score=71.5, signals=4, episodes=2, subjects=1, over_time=at, closed=True,
    )  # fmt: skip
    (row,) = to_rows([finding]).iter_rows(named=True)
    assert from_row(row) == finding
    assert from_row(row).title.values == finding.title.values


def test_what_brings_its_own_translations_keeps_them() -> None:
    at = datetime(2026, 3, 1, 12)
    cause = Told("Host {or} network blocked", {"it": "Host {o} rete bloccati"})
    reason = Phrase("{cause}: {count}", cause=cause, count=12)
    finding = Finding(
        id="c3", detection="bounce_rate", subject={}, severity="warning", title=cause, figures={}, lines=(),
        first_time=at, last_time=at, found_time=at, reasons=(reason,),
    )  # fmt: skip
    (row,) = to_rows([finding]).iter_rows(named=True)
    back, tell = from_row(row), translator("it")
    assert back == finding
    assert tell(back.title) == "Host {o} rete bloccati"
    assert [tell(each) for each in back.reasons] == ["Host {o} rete bloccati: 12"]


def test_a_detection_that_fails_is_left_out_and_said_once(tmp_path: Path) -> None:
    said: list[str] = []

    class Broken:
        about = Watcher.of(Settings(), ["brute_force"]).detections[0].about
        needs: ClassVar[dict[str, tuple[str, ...]]] = {}

        def see(self, seen: Seen) -> list[Any]:
            raise ZeroDivisionError(seen.now)

        def state(self) -> dict[str, pl.DataFrame]:
            return {}

        def resume(self, state: object) -> None:
            pass

    def make() -> Watcher:
        watcher = Watcher.of(Settings(), NAMES[1:])
        watcher.detections.insert(0, Broken())
        return watcher

    feeder = Feeder(tmp_path, Watching(make, said.append))
    for arrival in arrivals(LOG, range(0, len(LOG), 20)):
        feeder.feed(arrival)
    assert [row["detection"] for row in kept(feeder.database)] == sorted(NAMES[1:])
    feeder.close()
    assert len(said) == 1
    assert "brute_force failed" in said[0]


def test_who_does_not_watch_leaves_what_was_seen(tmp_path: Path) -> None:
    feeder = Feeder(tmp_path, watching())
    first, second, third = arrivals(LOG, [25, 30])
    feeder.feed(first)
    feeder.writer.checkpoint()
    feeder.close()
    plain = Feeder(tmp_path)
    plain.feed(second)
    plain.writer.checkpoint()
    plain.close()
    again = watching()
    feeder = Feeder(tmp_path, again)
    assert again.watcher.now is not None
    feeder.feed(third)
    assert kept(feeder.database)
    feeder.close()


def test_erasing_a_person_reaches_findings_and_what_is_remembered(tmp_path: Path) -> None:
    feeder = Feeder(tmp_path, watching())
    for arrival in arrivals(LOG, [len(LOG) // 2]):
        feeder.feed(arrival)
    feeder.writer.checkpoint()
    assert "carla" in str(kept(feeder.database))
    feeder.close()
    erase(tmp_path, Person.of(("carla@example.org",)), "test")
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"carla" not in path.read_bytes(), path
    feeder = Feeder(tmp_path, watching())
    assert "carla" not in str(kept(feeder.database))
    feeder.close()
