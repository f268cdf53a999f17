"""Two halves joined give the same tallies as the whole, wherever the file is cut."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailscope import halves
from mailscope.intake.files import expand
from mailscope.intake.sources import Sources, utc_now
from mailscope.pipeline import Pipeline
from mailscope.recognise.library import in_force
from mailscope.sequence.selection import Selection
from mailscope.tallies.ledger import Ledger
from mailscope.tallies.tables import needed_fields
from mailscope.trails.partial import PartialTracker, PartsDoNotJoin
from mailscope.trails.tracker import Tracker

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
CUTS = (0.02, 0.13, 0.31, 0.5, 0.66, 0.85, 0.99)


def sources(path: Path, chunk_bytes: int) -> Sources:
    files = expand([str(path)]).sources
    return Sources(files, ZoneInfo("UTC"), utc_now(), chunk_bytes=chunk_bytes)


def whole(path: Path) -> Ledger:
    ledger = Ledger()
    for batch, outcome in Pipeline(sources(path, 1 << 20), in_force(), needed_fields()).follow():
        ledger.add(batch, outcome)
    return ledger


def in_two(path: Path, cut: float, chunk_bytes: int = 4000) -> Ledger:
    task = halves.Task(sources(path, chunk_bytes), None, Selection(), int(len(text_of(path)) * cut))
    task.sources.opened()
    tracker, second = Tracker(detail=False), PartialTracker(detail=False, next_trail=1 << 48)
    first_half = halves.follow(task, tracker, second=False)
    second_half = halves.follow(task, second, second=True)
    second_half.tracker = second
    return halves.joined(task, tracker, first_half, second_half)


def text_of(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def assert_same(one: Ledger, two: Ledger) -> None:
    assert one.totals == two.totals
    assert (one.first, one.last, one.lines) == (two.first, two.last, two.lines)
    different = [
        tally.name for tally in one.wanted if not one.result(tally.name).equals(two.result(tally.name))
    ]
    assert different == []


@pytest.fixture(scope="module")
def reusing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated log with short queue ids, which are used again, over two hours."""
    path = tmp_path_factory.mktemp("generated") / "mail.log"
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "generate.py"),
        "--lines",
        "12000",
        "--queue-ids",
        "short",
    ]
    subprocess.run([*command, "--seed", "7", "-o", str(path)], check=True, capture_output=True)
    return path


@pytest.mark.parametrize(
    "name", ["postfix/mail.log", "postfix/mail.log.1", "postfix/mail.log.2.gz", "qmail/maillog"]
)
def test_any_cut_of_real_logs(name: str) -> None:
    path = EXAMPLES / name
    expected = whole(path)
    for cut in CUTS:
        assert_same(in_two(path, cut), expected)


def test_any_cut_of_a_log_that_reuses_its_ids(reusing: Path) -> None:
    expected = whole(reusing)
    for cut in CUTS:
        assert_same(in_two(reusing, cut, 20_000), expected)


def test_two_processes(reusing: Path) -> None:
    task = halves.Task(sources(reusing, 50_000), None, Selection(), reusing.stat().st_size // 2)
    assert_same(halves.count(task), whole(reusing))


def test_a_message_that_takes_hours_to_arrive_is_left_to_one_process(tmp_path: Path) -> None:
    start = "Nov 22 {}:00:00 mail postfix/{}[1]: 4B5C61F00D: {}\n"
    lines = [
        start.format("01", "smtpd", "client=mx.example.org[192.0.2.1]"),
        *(
            "Nov 22 02:00:00 mail postfix/smtpd[1]: connect from mx.example.org[192.0.2.1]\n"
            for _ in range(50)
        ),
        start.format("05", "cleanup", "message-id=<a@example.org>"),
        start.format("05", "qmgr", "from=<a@example.org>, size=1, nrcpt=1 (queue active)"),
    ]
    path = tmp_path / "mail.log"
    path.write_text("".join(lines))
    with pytest.raises(PartsDoNotJoin):
        in_two(path, 0.4, 200)


def test_halves_a_year_apart_do_not_join(tmp_path: Path) -> None:
    line = "{} mail postfix/smtpd[1]: connect from mx.example.org[192.0.2.1]\n"
    path = tmp_path / "mail.log"
    path.write_text(line.format("2024-03-01T00:00:00Z") * 40 + line.format("2025-03-01T00:00:00Z") * 40)
    with pytest.raises(PartsDoNotJoin):
        in_two(path, 0.5, 100)


def test_only_one_large_plain_or_gzip_file_is_worth_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(halves, "SMALLEST", 1000)
    monkeypatch.setattr(halves.os, "cpu_count", lambda: 2)
    path = tmp_path / "mail.log"
    path.write_bytes(b"x" * 1000)
    assert halves.worthwhile((str(path),))
    assert not halves.worthwhile((str(path), str(path)))
    assert not halves.worthwhile((str(tmp_path),))
    assert not halves.worthwhile(("-",))
    monkeypatch.setenv("MAILSCOPE_THREADS", "1")
    assert not halves.worthwhile((str(path),))
