"""Several files as one sequence: the order of lines, what is counted once and what twice."""

from __future__ import annotations

import os
import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from running import NOW, Run, run, source

from mailscope.intake.files import expand
from mailscope.intake.reader import Source

START = datetime(2026, 11, 20)
SIZES = (1, 700, 1 << 20)


def line(number: int, seconds: int, host: str = "mx1", text: str = "max cache size") -> bytes:
    """A line that Postfix writes; the number makes it unlike all others."""
    when = START + timedelta(seconds=seconds)
    stamp = f"{when:%b} {when.day:2} {when:%H:%M:%S}"
    return f"{stamp} {host} postfix/anvil[{number}]: statistics: {text} 1 at {stamp}\n".encode()


def write(path: Path, lines: list[bytes]) -> Source:
    path.write_bytes(b"".join(lines))
    return source(path)


def raws(done: Run) -> list[str]:
    """All lines that count, in the order in which they come out."""
    out: list[str] = []
    for batch in done.batches:
        ranked: list[tuple[int, str]] = []
        for events in batch:
            order = range(len(events.raw)) if events.order is None else events.order.to_list()
            alive = [True] * len(events.raw) if events.alive is None else events.alive.to_list()
            ranked += [
                (rank, raw) for rank, raw, lives in zip(order, events.raw, alive, strict=True) if lives
            ]
        out += [raw for _, raw in sorted(ranked)]
    return out


def texts(lines: list[bytes]) -> list[str]:
    return [line.decode().rstrip("\n") for line in lines]


def busy(count: int) -> list[bytes]:
    """Lines of which several fall into the same second."""
    return [line(number, number // 3) for number in range(count)]


# Order


@pytest.mark.parametrize("chunk_bytes", SIZES)
def test_one_file_keeps_its_order_even_where_the_clock_goes_back(tmp_path: Path, chunk_bytes: int) -> None:
    lines = [line(number, seconds) for number, seconds in enumerate((5, 3, 9, 9, 1, 12, 11))]
    done = run([write(tmp_path / "a", lines)], chunk_bytes=chunk_bytes, keep=True)
    assert raws(done) == texts(lines)


@pytest.mark.parametrize("chunk_bytes", SIZES)
@pytest.mark.parametrize("parts", [2, 3])
def test_files_that_overlap_give_the_order_of_one_file(tmp_path: Path, chunk_bytes: int, parts: int) -> None:
    """Lines of the same second stand in the order of the files."""
    lines = [line(number, number * 2) for number in range(60)]
    dealt: list[list[bytes]] = [[] for _ in range(parts)]
    for one in lines:
        random.Random(one).choice(dealt).append(one)
    sources = [write(tmp_path / str(number), part) for number, part in enumerate(dealt)]
    done = run(sources, chunk_bytes=chunk_bytes, keep=True)
    assert raws(done) == texts(lines)
    assert done.totals["read"] == len(lines)


@pytest.mark.parametrize("chunk_bytes", SIZES)
def test_the_same_second_in_two_files(tmp_path: Path, chunk_bytes: int) -> None:
    """However the files are cut into chunks: first all lines of the first file, then those of the second."""
    one = [line(number, number // 20) for number in range(60)]
    two = [line(number + 1_000, number // 30) for number in range(60)]
    sources = [write(tmp_path / "one", one), write(tmp_path / "two", two)]
    wanted = sorted([*one, *two], key=lambda raw: (raw[:15], raw in two))
    assert raws(run(sources, chunk_bytes=chunk_bytes, keep=True)) == texts(wanted)


def test_files_one_after_the_other_are_not_held_side_by_side(tmp_path: Path) -> None:
    sources = [
        write(tmp_path / str(number), [line(number * 10 + one, number * 100 + one) for one in range(9)])
        for number in (2, 0, 1)
    ]
    done = run(sources, keep=True)
    assert [[Path(events.source).name for events in batch] for batch in done.batches] == [["0"], ["1"], ["2"]]


def test_a_rotated_set_is_read_oldest_first_whatever_the_order_of_the_arguments(tmp_path: Path) -> None:
    parts = [[line(number * 10 + one, number * 1_000 + one) for one in range(9)] for number in range(4)]
    names = ["mail.log.3", "mail.log.2", "mail.log.1", "mail.log"]
    for name, part in zip(names, parts, strict=True):
        (tmp_path / name).write_bytes(b"".join(part))
        os.utime(tmp_path / name, (NOW.timestamp(), NOW.timestamp()))
    wanted = texts([one for part in parts for one in part])
    for order in (names, names[::-1], [names[2], names[0], names[3], names[1]]):
        found = expand([str(tmp_path / name) for name in order]).sources
        assert raws(run(found, keep=True)) == wanted


def test_lines_without_any_stamp_come_first(tmp_path: Path) -> None:
    stamped = busy(5)
    for chunk_bytes in SIZES:
        sources = [
            write(tmp_path / "stamped", stamped),
            write(tmp_path / "bare", [b"one\n", b"two\n"]),
            write(tmp_path / "bare too", [b"three\n", b"four\n"]),
        ]
        got = raws(run(sources, chunk_bytes=chunk_bytes, keep=True))
        assert sorted(got[:4]) == ["four", "one", "three", "two"]
        assert got[4:] == texts(stamped)


def test_hosts_of_one_network_are_merged(tmp_path: Path) -> None:
    one = [line(number, number * 2, "mx1") for number in range(10)]
    two = [line(number, number * 2 + 1, "mx2") for number in range(10)]
    done = run([write(tmp_path / "mx1", one), write(tmp_path / "mx2", two)], chunk_bytes=200, keep=True)
    assert raws(done) == texts([raw for pair in zip(one, two, strict=True) for raw in pair])
    assert done.totals["duplicate"] == 0


# The same line in several files


@pytest.mark.parametrize("chunk_bytes", SIZES)
@pytest.mark.parametrize("turned", [False, True])
def test_lines_that_stand_in_mail_err_too_count_once(tmp_path: Path, chunk_bytes: int, turned: bool) -> None:
    lines = busy(80)
    sources = [
        write(tmp_path / "mail.log", lines),
        write(tmp_path / "mail.warn", [one for number, one in enumerate(lines) if number % 4 == 1]),
        write(tmp_path / "mail.err", [one for number, one in enumerate(lines) if number % 8 == 1]),
    ]
    done = run(sources[::-1] if turned else sources, chunk_bytes=chunk_bytes, keep=True)
    assert done.totals["read"] == 80 + 20 + 10
    assert done.totals["duplicate"] == 20 + 10
    assert done.totals["recognised"] == 80
    assert sorted(raws(done)) == sorted(texts(lines))


@pytest.mark.parametrize("chunk_bytes", SIZES)
def test_a_line_that_one_file_holds_twice_was_logged_twice(tmp_path: Path, chunk_bytes: int) -> None:
    lines = [line(1, 5)] * 3 + [line(2, 5)]
    done = run([write(tmp_path / "alone", lines)], chunk_bytes=chunk_bytes)
    assert (done.totals["recognised"], done.totals["duplicate"]) == (4, 0)
    two = [write(tmp_path / "mail.log", lines), write(tmp_path / "mail.err", lines[:2])]
    for order in (two, two[::-1]):
        done = run(order, chunk_bytes=chunk_bytes)
        assert (done.totals["recognised"], done.totals["duplicate"]) == (4, 2)


def test_the_whole_file_twice_under_two_names(tmp_path: Path) -> None:
    lines = busy(50)
    sources = [write(tmp_path / "mail.log", lines), write(tmp_path / "copy", lines)]
    for chunk_bytes in SIZES:
        done = run(sources, chunk_bytes=chunk_bytes, keep=True)
        assert (done.totals["recognised"], done.totals["duplicate"]) == (50, 50)
        assert raws(done) == texts(lines)


def test_lines_without_a_stamp_are_no_duplicates(tmp_path: Path) -> None:
    sources = [write(tmp_path / "one", [b"bare\n"] * 2), write(tmp_path / "two", [b"bare\n"] * 2)]
    assert run(sources).totals["duplicate"] == 0


# What belongs to a chunk as a whole


@pytest.mark.parametrize("chunk_bytes", SIZES)
def test_blank_lines_are_counted_wherever_they_stand(tmp_path: Path, chunk_bytes: int) -> None:
    lines = [b"\n", b" \n", line(1, 1), b"\n", line(2, 2), b"\n", b"\n"]
    other = [b"\n", line(3, 1), b"\n", b"\n", line(4, 3), b"\n"]
    blank = [b"\n"] * 3
    for files, read, blanks in (
        ([lines], 7, 5),
        ([lines, other], 13, 9),
        ([lines, blank], 10, 8),
        ([blank], 3, 3),
        ([blank, blank], 6, 6),
        ([[]], None, None),
    ):
        sources = [write(tmp_path / str(number), one) for number, one in enumerate(files)]
        totals = run(sources, chunk_bytes=chunk_bytes).totals
        assert (totals.get("read"), totals.get("blank")) == (read, blanks)


@pytest.mark.parametrize("chunk_bytes", SIZES)
def test_every_line_keeps_its_number(tmp_path: Path, chunk_bytes: int) -> None:
    glued = b"Nov 20 00:00:04 m qmail: 1795132804.000001 new msg 1 Nov 20 00:00:04 m qmail: 1795132804.000002 end msg 1\n"
    lines = [b"\n", line(1, 1), b"\n", line(2, 2), glued, line(3, 5), b"\n", line(4, 6)]
    other = [line(number, number) for number in range(5, 9)]
    sources = [write(tmp_path / "a", lines), write(tmp_path / "b", other)]
    done = run(sources, chunk_bytes=chunk_bytes, keep=True)
    numbers: dict[str, list[int]] = {"a": [], "b": []}
    for batch in done.batches:
        for events in batch:
            alive = [True] * len(events.raw) if events.alive is None else events.alive
            numbers[events.source] += [
                number for number, lives in zip(events.number, alive, strict=True) if lives
            ]
    assert numbers == {"a": [2, 4, 5, 5, 6, 8], "b": [1, 2, 3, 4]}
