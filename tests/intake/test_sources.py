"""Sources: first instants, bounds for the year, what is read once and what is read again."""

from __future__ import annotations

import gzip
import io
import os
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from running import NOW, UTC_ZONE, pipeline, run, source

from mailscope.intake.files import expand
from mailscope.intake.lines import parse_lines
from mailscope.intake.reader import Chunk, Source, read_chunks
from mailscope.intake.sources import Sources, new_years_passed
from mailscope.pipeline import restarting
from mailscope.vocabulary.errors import InputError

LINE = " mx1 postfix/anvil[1]: statistics: max cache size 1 at Nov 22 04:00:42\n"


def log(*days: datetime) -> bytes:
    """A BSD log with a line for each of these days."""
    return b"".join(f"{day:%b} {day.day:2} {day:%H:%M:%S}{LINE}".encode() for day in days)


def daily(first: str, last: str, step_days: int = 1) -> list[datetime]:
    begin, end = datetime.fromisoformat(first), datetime.fromisoformat(last)
    return [begin + timedelta(days=number) for number in range(0, (end - begin).days + 1, step_days)]


def write(path: Path, data: bytes, mtime: datetime | None = None) -> Path:
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    when = (mtime or NOW).replace(tzinfo=UTC).timestamp()
    os.utime(path, (when, when))
    return path


def instants(sources: Iterable[Source], chunk_bytes: int = 1 << 20, now: datetime = NOW) -> list[datetime]:
    """The instants of all lines, in the order in which they come out."""
    done = run(sources, chunk_bytes=chunk_bytes, now=now, keep=True)
    return [time for batch in done.batches for events in batch for time in events.time]


def pipe(data: bytes) -> tuple[Source, io.BytesIO]:
    return Source("-", "-", "-", 0, None, None, "none"), io.BytesIO(data)


# One file and its years


@pytest.mark.parametrize("name", ["mail.log", "mail.log.gz"])
@pytest.mark.parametrize("chunk_bytes", [100, 5_000, 1 << 20])
@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2026-10-30", "2026-11-22"),
        ("2025-11-24", "2026-11-22"),
        ("2025-11-20", "2026-11-22"),
        ("2024-02-28", "2026-11-22"),
        ("2019-12-31", "2023-01-01"),
        ("2024-02-20", "2024-03-10"),
    ],
)  # fmt: skip
def test_years_of_long_and_short_logs(
    tmp_path: Path, name: str, chunk_bytes: int, first: str, last: str
) -> None:
    """Plain files are sampled beforehand; archives tell while they are read, and are read again."""
    days = daily(first, last, 1 if chunk_bytes > 1_000 else 20)
    path = write(tmp_path / name, log(*days), days[-1])
    expansion = expand([str(path)])
    assert instants(expansion.sources, chunk_bytes) == days


def test_a_copy_that_lost_its_time_is_put_into_the_latest_years(tmp_path: Path) -> None:
    days = daily("2019-12-01", "2020-02-10")
    path = write(tmp_path / "copy.log", log(*days), NOW)
    assert instants([source(path)]) == daily("2025-12-01", "2026-02-10")
    # A leap day leaves only leap years.
    days = daily("2023-12-01", "2024-03-10")
    path = write(tmp_path / "leap.log", log(*days), NOW)
    assert instants([source(path)]) == days


@pytest.mark.parametrize("mtime", [0.0, 1.0, -5.0, 315532800.0, 4e9, 1e18])
def test_a_time_of_writing_that_cannot_be_is_ignored(tmp_path: Path, mtime: float) -> None:
    path = write(tmp_path / "mail.log", log(datetime(2026, 11, 22)))
    odd = Source(str(path), "mail.log", str(path), 0, mtime, 100, "none")
    assert instants([odd]) == [datetime(2026, 11, 22)]


def test_a_log_can_be_no_younger_than_its_file(tmp_path: Path) -> None:
    path = write(tmp_path / "mail.log", log(datetime(2020, 11, 20)), datetime(2021, 6, 1))
    assert instants(expand([str(path)]).sources) == [datetime(2020, 11, 20)]


def test_a_late_line_after_new_year_is_no_further_year(tmp_path: Path) -> None:
    days = [
        *daily("2025-12-01", "2026-01-01"),
        datetime(2025, 12, 31, 23, 59, 59),
        *daily("2026-01-01", "2026-02-01"),
    ]
    path = write(tmp_path / "mail.log", log(*(day for day in days for _ in range(12))), days[-1])
    assert new_years_passed(str(path)) == 0
    assert sorted(set(instants([source(path, mtime=days[-1])]))) == sorted(set(days))


@pytest.mark.parametrize(
    ("first", "last", "passed"),
    [
        ("2026-01-01", "2026-11-22", 0),
        ("2025-12-01", "2026-02-01", 0),
        ("2025-02-01", "2026-03-01", 1),
        ("2024-12-01", "2026-02-01", 1),
        ("2020-01-01", "2026-01-01", 6),
    ],
)
def test_new_years_are_counted_by_samples(tmp_path: Path, first: str, last: str, passed: int) -> None:
    path = write(tmp_path / "mail.log", log(*daily(first, last)) * 1)
    assert new_years_passed(str(path)) == passed


def test_a_file_that_has_gone_passes_no_new_years(tmp_path: Path) -> None:
    assert new_years_passed(str(tmp_path / "gone")) == 0


def test_many_falls_of_the_date_end_all_the_same(tmp_path: Path) -> None:
    """A log put together from shuffled months: whatever years come of it, none is in the future."""
    days = [datetime(2000, 1 + number * 7 % 12, 1 + number % 28) for number in range(600)]
    for name in ("mail.log", "mail.log.gz"):
        path = write(tmp_path / name, log(*days))
        got = instants([source(path)], chunk_bytes=4_000)
        assert len(got) == len(days)
        assert max(instant for instant in [NOW, *got] if instant is not None) <= NOW + timedelta(days=1)


# Rotated sets


def rotated(tmp_path: Path, *, suffix: str = "") -> tuple[list[str], list[datetime]]:
    """Monthly files over two years, all copied in November 2026, with nothing but their names in order."""
    days = daily("2024-12-05", "2026-11-22", 9)
    months = sorted({(day.year, day.month) for day in days}, reverse=True)
    paths = []
    for number, month in enumerate(months):
        name = "mail.log" if number == 0 else f"mail.log.{number}{suffix}"
        data = log(*(day for day in days if (day.year, day.month) == month))
        paths.append(str(write(tmp_path / name, data, NOW)))
    return paths, days


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_each_file_of_a_set_bounds_the_one_before(tmp_path: Path, suffix: str) -> None:
    paths, days = rotated(tmp_path, suffix=suffix)
    assert instants(expand(paths).sources) == days


def test_the_order_of_the_arguments_does_not_matter(tmp_path: Path) -> None:
    paths, days = rotated(tmp_path)
    for order in (paths, paths[::-1], paths[5:] + paths[:5], [str(tmp_path)]):
        assert instants(expand(order).sources) == days


def test_sources_come_in_the_order_in_which_they_were_given(tmp_path: Path) -> None:
    paths, _ = rotated(tmp_path)
    found = [source(Path(path), str(tmp_path), rank) for rank, path in enumerate(paths)]
    opened = Sources(found, UTC_ZONE, NOW).opened()
    assert [one.name for one in opened] == [one.name for one in found]
    assert [one.first for one in opened] == sorted((one.first for one in opened), reverse=True)  # type: ignore[type-var]


# What stands before the first stamp


@pytest.mark.parametrize("chunk_bytes", [1, 60, 1 << 20])
def test_lines_cut_off_by_rotation_get_the_first_instant(tmp_path: Path, chunk_bytes: int) -> None:
    first = datetime(2026, 11, 22, 4)
    data = b"the rest of a line\n" + log(first, first + timedelta(hours=1))
    path = write(tmp_path / "mail.log", data)
    assert instants([source(path)], chunk_bytes) == [first, first, first + timedelta(hours=1)]
    # The month may be lost with the line's beginning.
    path = write(tmp_path / "mail.log", b"16 15:53:25 mx1 a[1]: x\ncut off\n" + log(first))
    before = datetime(2026, 11, 16, 15, 53, 25)
    assert instants([source(path)], chunk_bytes) == [before, before, first]


# Pipes


@pytest.mark.parametrize("chunk_bytes", [1, 500, 1 << 20])
@pytest.mark.parametrize("packed", [False, True])
def test_standard_input_is_read_once_and_whole(chunk_bytes: int, packed: bool) -> None:
    days = daily("2026-10-01", "2026-11-20")
    data = log(*days)
    one, stdin = pipe(gzip.compress(data) if packed else data)
    sources = Sources([one], UTC_ZONE, NOW, stdin=stdin, chunk_bytes=chunk_bytes)
    opened = sources.opened()
    read = b"".join(opened[0].chunks())
    assert read == data
    assert opened[0].first == days[0] or chunk_bytes == 1
    assert sources.reports["-"].bytes_text == len(data)


def test_a_named_pipe_is_read_once_and_whole(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    data = log(*daily("2026-10-01", "2026-11-20"))
    writer = threading.Thread(target=fifo.write_bytes, args=(data,))
    writer.start()
    try:
        sources = expand([str(fifo)]).sources
        done = run(sources)
    finally:
        writer.join(10)
    assert done.totals["read"] == data.count(b"\n")


def test_what_the_head_of_a_pipe_tells_needs_no_second_reading() -> None:
    """A leap day among the first lines, and years passed."""
    for first, last in (("2024-02-20", "2024-03-10"), ("2024-10-20", "2026-11-20")):
        days = daily(first, last, 3) if first > "2024-06" else daily(first, last)
        one, stdin = pipe(log(*days))
        opened = Sources([one], UTC_ZONE, NOW, stdin=stdin).opened()[0]
        times, _ = opened.clock().instants(parse_lines(b"".join(opened.chunks())).header)
        assert times.to_list() == days


def test_a_pipe_that_would_have_to_be_read_again_says_what_to_do() -> None:
    days = daily("2019-01-01", "2026-11-20")
    one, stdin = pipe(log(*days))
    flow = pipeline([one], stdin=stdin, chunk_bytes=1_000)
    with pytest.raises(InputError, match="begins in an earlier one") as raised:
        restarting(flow, lambda again: sum(1 for _ in again.follow()))
    assert "save it in a file" in str(raised.value)


def test_a_restart_counts_nothing_twice(tmp_path: Path) -> None:
    days = daily("2023-01-01", "2026-11-20")
    path = write(tmp_path / "mail.log.gz", log(*days))
    flow = pipeline([source(path)], chunk_bytes=3_000)
    begun = []

    def work(again: object) -> int:
        begun.append(again)
        return sum(len(events.raw) for batch in flow.batches() for events in batch)

    assert restarting(flow, work) == len(days)
    assert len(begun) > 1
    assert flow.sources.reports["mail.log.gz"].bytes_text == len(log(*days))


# Damage


def test_an_archive_that_ends_early_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    whole = log(*daily("2026-10-01", "2026-11-20"))
    cut = tmp_path / "mail.log.1.gz"
    write(cut, whole)
    cut.write_bytes(cut.read_bytes()[:-20])
    other = write(tmp_path / "other.log", log(datetime(2026, 11, 21)))
    flow = pipeline([source(cut), source(other)])
    read = sum(events.read for batch in flow.batches() for events in batch)
    assert 1 < read <= whole.count(b"\n") + 1
    problems = flow.sources.reports["mail.log.1.gz"].problems
    assert [problem.where for problem in problems] == ["mail.log.1.gz"]
    assert not flow.sources.reports["other.log"].problems


def test_a_file_that_has_gone_is_reported(tmp_path: Path) -> None:
    there = write(tmp_path / "mail.log", log(datetime(2026, 11, 21)))
    gone = source(write(tmp_path / "gone.log", b"x"))
    (tmp_path / "gone.log").unlink()
    flow = pipeline([gone, source(there)])
    assert sum(events.read for batch in flow.batches() for events in batch) == 1
    assert len(flow.sources.reports["gone.log"].problems) == 1


# Zones


def test_the_zone_counts_for_the_first_instant(tmp_path: Path) -> None:
    path = write(tmp_path / "mail.log", log(datetime(2026, 11, 22)))
    opened = Sources([source(path)], ZoneInfo("America/New_York"), NOW).opened()
    assert [one.first for one in opened] == [datetime(2026, 11, 22, 5)]


# Files outside the span that is asked for


def narrowed(directory: Path, since: datetime | None, until: datetime | None) -> list[str]:
    sources = Sources(expand([str(directory)]).sources, UTC_ZONE, NOW)
    sources.narrow(since, until)
    return sorted(Path(source.path).name for source in sources.files)


def test_files_outside_the_span_are_left_out(tmp_path: Path) -> None:
    for age in range(5):
        begin = NOW.replace(hour=0, minute=0, second=0) - timedelta(days=2 * age + 1)
        name = "mail.log" + (f".{age}" if age else "") + (".gz" if age > 1 else "")
        write(tmp_path / name, log(begin, begin + timedelta(days=1)), begin + timedelta(days=2))
    midnight = NOW.replace(hour=0, minute=0, second=0)
    every = ["mail.log", "mail.log.1", "mail.log.2.gz", "mail.log.3.gz", "mail.log.4.gz"]
    assert narrowed(tmp_path, None, None) == every
    # Begun five days ago; what came before is a day's grace.
    assert narrowed(tmp_path, midnight - timedelta(days=3), None) == every[:3]
    assert narrowed(tmp_path, None, midnight - timedelta(days=6, hours=1)) == every[3:]
    since, until = midnight - timedelta(days=5), midnight - timedelta(days=4, hours=23)
    assert narrowed(tmp_path, since, until) == every[2:4]
    assert narrowed(tmp_path, midnight + timedelta(days=40), midnight + timedelta(days=41)) == ["mail.log"]
    assert narrowed(tmp_path, None, midnight - timedelta(days=40)) == every


def test_a_span_counts_the_same_with_and_without_the_files_outside(tmp_path: Path) -> None:
    for age in range(4):
        begin = NOW.replace(hour=0, minute=0, second=0) - timedelta(days=age)
        name = "mail.log" + (f".{age}" if age else "")
        write(tmp_path / name, log(*(begin + timedelta(hours=hour) for hour in range(23))), begin)
    since = NOW - timedelta(days=1)
    wide = Sources(expand([str(tmp_path)]).sources, UTC_ZONE, NOW)
    narrow = Sources(expand([str(tmp_path)]).sources, UTC_ZONE, NOW)
    narrow.narrow(since, None)
    assert len(narrow.files) < len(wide.files)
    later = [[time for time in instants(sources.files) if time >= since] for sources in (wide, narrow)]
    assert later[0] == later[1] != []


def test_the_beginning_of_a_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    days = [daily("2026-11-01", "2026-11-05"), daily("2026-11-06", "2026-11-10")]
    paths = [write(tmp_path / f"mail.log{age}", log(*of)) for age, of in zip((".1", ""), days, strict=True)]
    sources = Sources(expand(list(map(str, paths))).sources, UTC_ZONE, NOW)
    read: list[str] = []

    def counting(source: Source, *rest: Any) -> Iterator[Chunk]:
        read.append(source.name)
        return read_chunks(source, *rest)

    monkeypatch.setattr("mailscope.intake.sources.read_chunks", counting)
    sources.narrow(datetime(2026, 11, 2), datetime(2026, 11, 9))
    assert [opened.first for opened in sources.opened()] == [datetime(2026, 11, 1), datetime(2026, 11, 6)]
    assert sorted(read) == sorted(map(str, paths))
