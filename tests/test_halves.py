"""Two halves joined give the same tallies as the whole, wherever the file is cut."""

from __future__ import annotations

import bz2
import gzip
import subprocess
import sys
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from running import FUZZ

from mailscope import halves
from mailscope.intake.files import expand
from mailscope.intake.sources import Sources, utc_now
from mailscope.periods import Reported, Spanned, count
from mailscope.pipeline import Pipeline
from mailscope.recognise.library import in_force
from mailscope.sequence.selection import Selection
from mailscope.tallies.domain import DomainView
from mailscope.tallies.ledger import Ledger
from mailscope.tallies.tables import needed_fields
from mailscope.trails.partial import PartsDoNotJoin
from mailscope.vocabulary.calendar import Calendar, Unit

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
CUTS = (0.02, 0.13, 0.31, 0.5, 0.66, 0.85, 0.99)


def cuts(first: int) -> tuple[float, ...]:
    """Every third place to cut, from one on, so that several tests try all; ``make fuzz``: all of them."""
    return CUTS if FUZZ else CUTS[first::3]


def sources(path: Path, chunk_bytes: int) -> Sources:
    files = expand([str(path)]).sources
    return Sources(files, ZoneInfo("UTC"), utc_now(), chunk_bytes=chunk_bytes)


def whole(path: Path) -> Ledger:
    ledger = Ledger()
    for batch, outcome in Pipeline(sources(path, 1 << 20), in_force(), needed_fields()).follow():
        ledger.add(batch, outcome)
    return ledger


def in_two(path: Path, cut: float, chunk_bytes: int = 4000) -> Ledger:
    return joined(sources(path, chunk_bytes), halves.Cut(0, int(len(text_of(path)) * cut)))


def joined(read: Sources, cut: halves.Cut) -> Ledger:
    task = halves.Task(read, None, Selection(), cut)
    task.sources.opened()
    counted = halves.joined(task, halves.follow(task, second=False), halves.follow(task, second=True))
    assert isinstance(counted, Ledger)
    return counted


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
    ("name", "first"),
    [("postfix/mail.log", 0), ("postfix/mail.log.1", 1), ("postfix/mail.log.2.gz", 2), ("qmail/maillog", 0)],
)
def test_any_cut_of_real_logs(name: str, first: int) -> None:
    path = EXAMPLES / name
    expected = whole(path)
    for cut in cuts(first):
        assert_same(in_two(path, cut), expected)


def test_any_cut_of_a_log_that_reuses_its_ids(reusing: Path) -> None:
    expected = whole(reusing)
    for cut in cuts(0):
        assert_same(in_two(reusing, cut, 20_000), expected)


def test_two_processes(reusing: Path) -> None:
    task = halves.Task(
        sources(reusing, 50_000), None, Selection(), halves.Cut(0, reusing.stat().st_size // 2)
    )
    with halves.second_half() as second:
        counted = halves.count(task, second)
    assert isinstance(counted, Ledger)
    assert_same(counted, whole(reusing))


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated log of four days."""
    path = tmp_path_factory.mktemp("generated") / "mail.log"
    command = [sys.executable, str(ROOT / "benchmarks" / "generate.py"), "--lines", "12000", "--days", "4"]
    subprocess.run([*command, "--seed", "9", "-o", str(path)], check=True, capture_output=True)
    return path


def reported(path: Path, part: halves.Part, domains: tuple[str, ...], cut: float | None) -> Reported:
    """A unit with its history: of the whole (no cut), or of two halves."""
    read = sources(path, 30_000)
    if cut is None:
        needed = needed_fields(addresses=bool(domains))
        found = count(Spanned(read, in_force(), needed, calendar=part[0]), part[1], read.now, domains)
    else:
        task = halves.Task(
            read, None, Selection(), halves.Cut(0, int(len(text_of(path)) * cut)), part, domains
        )
        task.sources.opened()
        found = halves.joined(task, halves.follow(task, second=False), halves.follow(task, second=True))  # type: ignore[assignment]
    assert isinstance(found, Reported)
    return found


@pytest.mark.parametrize(
    ("unit", "wanted", "domains"),
    [("day", None, ()), ("day", date(2026, 3, 2), ()), ("day", None, ("example.com",)), ("week", None, ())],
)
def test_any_cut_of_a_period_with_its_history(
    days: Path, unit: Unit, wanted: date | None, domains: tuple[str, ...]
) -> None:
    calendar = Calendar(unit, ZoneInfo("UTC"))
    part = calendar, None if wanted is None else calendar.of_day(wanted)
    expected = reported(days, part, domains, None)
    assert expected.ledger.result("recipients")["count"].sum() > 0
    for cut in (0.1, 0.37, 0.5, 0.74, 0.9) if FUZZ else (0.37, 0.9):
        found = reported(days, part, domains, cut)
        assert (found.span, found.complete) == (expected.span, expected.complete)
        assert_same(found.ledger, expected.ledger)
        assert found.ledger.history is not None
        assert expected.ledger.history is not None
        assert_same(found.ledger.history, expected.ledger.history)


def test_any_cut_with_one_domains_mail(reusing: Path) -> None:
    read = sources(reusing, 1 << 20)
    expected = Ledger(view=DomainView(["example.com"]))
    for batch, outcome in Pipeline(read, in_force(), needed_fields(addresses=True)).follow():
        expected.add(batch, outcome)
    assert expected.result("recipients")["count"].sum() > 0
    for cut in cuts(1):
        task = halves.Task(
            sources(reusing, 20_000),
            None,
            Selection(),
            halves.Cut(0, int(reusing.stat().st_size * cut)),
            None,
            ("example.com",),
        )
        task.sources.opened()
        found = halves.joined(task, halves.follow(task, second=False), halves.follow(task, second=True))
        assert isinstance(found, Ledger)
        assert_same(found, expected)


def rotated(directory: Path, log: Path, ends: tuple[int, ...]) -> Path:
    """The lines of a log in files as logrotate leaves them, the older ones packed."""
    lines = log.read_bytes().splitlines(keepends=True)
    # Two files that hold lines of the same second overlap, and are merged.
    ends = tuple(
        next(at for at in range(end, len(lines)) if lines[at][:15] != lines[at - 1][:15]) for end in ends
    )
    starts = (0, *ends)
    for age, (start, end) in enumerate(zip(reversed(starts), reversed((*ends, len(lines))), strict=True)):
        data = b"".join(lines[start:end])
        name = "mail.log" + (f".{age}" if age else "")
        if age > 1:
            (directory / f"{name}.gz").write_bytes(gzip.compress(data))
        else:
            (directory / name).write_bytes(data)
    return directory


def test_any_cut_of_a_rotated_set(reusing: Path, tmp_path: Path) -> None:
    directory = rotated(tmp_path, reusing, (2000, 5000, 9000))
    expected = whole(directory)
    assert expected.totals == whole(reusing).totals
    for file in range(4):
        for offset in (0, 1, 100_000, 10_000_000):
            if (file, offset) != (0, 0):
                assert_same(joined(sources(directory, 20_000), halves.Cut(file, offset)), expected)


def test_files_that_overlap_are_left_to_one_process(reusing: Path, tmp_path: Path) -> None:
    directory = rotated(tmp_path, reusing, (4000, 8000))
    older = directory / "mail.log.1"
    # The last lines of the oldest file are later than the first ones of the next.
    whole_text = reusing.read_bytes().splitlines(keepends=True)
    older.write_bytes(b"".join(whole_text[3000:8000]))
    with pytest.raises(PartsDoNotJoin):
        joined(sources(directory, 20_000), halves.Cut(1, 1000))


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


def test_where_a_log_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halves, "SMALLEST", 1000)
    monkeypatch.setattr(halves.os, "cpu_count", lambda: 2)

    def cut(*names: str) -> halves.Cut | None:
        return halves.cut_of(expand([str(tmp_path / name) for name in names]).sources)

    (tmp_path / "mail.log").write_bytes(b"x" * 1000)
    assert cut("mail.log") == halves.Cut(0, 500)
    (tmp_path / "mail.log.1").write_bytes(b"y" * 3000)
    assert cut("mail.log", "mail.log.1") == halves.Cut(0, 2000)
    (tmp_path / "mail.log.2.gz").write_bytes(gzip.compress(bytes(range(256)) * 40))
    assert cut("mail.log", "mail.log.1", "mail.log.2.gz") == halves.Cut(0, 7120)
    (tmp_path / "mail.err").write_bytes(b"z" * 1000)
    assert cut("mail.log", "mail.err") is None
    (tmp_path / "small.log").write_bytes(b"z" * 100)
    assert cut("small.log") is None
    (tmp_path / "old.bz2").write_bytes(bz2.compress(b"z" * 20_000))
    assert cut("old.bz2") is None
    monkeypatch.setenv("MAILSCOPE_THREADS", "1")
    assert cut("mail.log") is None


def test_pipes_are_left_to_one_process() -> None:
    assert halves.cut_of(expand(["-"]).sources) is None
