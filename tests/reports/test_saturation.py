"""When qmail-send's places count as taken for long."""

from __future__ import annotations

from pathlib import Path

import pytest
from replaying import Replay, replay

from mailscope.reports import saturation

TAI = 0x4000000000000000 + 10
START = 1_795_219_200  # 2026-11-21 00:00 UTC


def busy(path: Path, quarters: list[int], limit: int = 10, start: int = START) -> Replay:
    """A log with 40 status lines in each quarter of an hour, of which so many show all places taken."""
    lines = []
    for quarter, full in enumerate(quarters):
        for number in range(40):
            taken = limit if number < full else limit - 1
            second = start + quarter * 900 + number * 20
            lines.append(f"@{TAI + second:016x}00000000 status: local {taken}/{limit} remote 0/20\n")
    path.write_text("".join(lines))
    return replay(path)


@pytest.mark.parametrize(
    ("quarters", "lasting"),
    [
        ([20, 20, 0, 0, 0, 0], True),  # half an hour on end
        ([20, 0, 0, 0, 0, 0], False),  # a burst
        ([20, 0, 20, 0, 0, 0, 0], False),  # two bursts
        ([20, 0, 20, 0], True),  # half of the time
        ([20], True),  # all the time there is
        ([15, 15, 15], False),  # places were free at most moments
        ([0, 0, 0], False),
    ],
)
def test_saturation_must_last(quarters: list[int], lasting: bool, tmp_path: Path) -> None:
    found = saturation.lasting(busy(tmp_path / "current", quarters).ledger)
    assert [finding.kind for finding in found] == (["local"] if lasting else [])


def test_advice_names_the_file_and_the_limit(tmp_path: Path) -> None:
    run = busy(tmp_path / "current", [20, 20, 20])
    finding = saturation.lasting(run.ledger)[0]
    assert (finding.slots, finding.active, finding.longest, finding.limit) == (3, 3, 3, 10)
    assert "raise concurrencylocal (now 10)" in finding.advice
    assert "conf-spawn" not in finding.advice
    report = run.report()
    assert report["saturation"][0]["longest_s"] == 2700
    assert finding.advice in [problem["advice"] for problem in report["problems"]]
    row = report["concurrency"]["rows"][0]
    assert (row["lines"], row["local_full"], row["local_max"], row["local_limit"]) == (120, 60, 10, 10)


def test_advice_knows_the_compiled_limit(tmp_path: Path) -> None:
    assert (
        "conf-spawn" in saturation.lasting(busy(tmp_path / "current", [20, 20], limit=120).ledger)[0].advice
    )


def test_no_places_at_all_is_not_saturation(tmp_path: Path) -> None:
    log = tmp_path / "current"
    log.write_text(
        "".join(f"@{TAI + START + n:016x}00000000 status: local 0/0 remote 0/0\n" for n in range(50))
    )
    assert saturation.lasting(replay(log).ledger) == []
