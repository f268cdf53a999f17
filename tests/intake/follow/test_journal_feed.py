"""The journal as it grows: by a journalctl that is none, and by the real one."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from journaling import entry

from mailscope.intake.follow import journal
from mailscope.intake.follow.journal import JournalFeed
from mailscope.intake.journal import Wanted
from mailscope.intake.live import Arrival, Resume
from mailscope.vocabulary.errors import InputError

REMOTE = "/lib/systemd/systemd-journal-remote"
# Notes its arguments and how often it ran, gives what the nth run shall give, and goes on as told.
FAKE = """#!/bin/sh
cd "$HOME"
echo >> runs
number=$(wc -l < runs)
printf '%s\\n' "$@" > new && mv new "arguments.$number"
cat "entries.$number" 2>/dev/null
cat complaint >&2 2>/dev/null
[ -e stay ] && exec sleep 60
exit "$(cat status 2>/dev/null || echo 0)"
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "journalctl"
    program.parent.mkdir()
    program.write_text(FAKE)
    program.chmod(stat.S_IRWXU)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(journal, "_FIRST_PAUSE_S", 0.05)
    return tmp_path


@pytest.fixture
def follow() -> Iterator[Callable[..., JournalFeed]]:
    feeds: list[JournalFeed] = []

    def start(*given: object, **named: object) -> JournalFeed:
        feeds.append(JournalFeed(*given, **named))  # type: ignore[arg-type]
        return feeds[-1]

    yield start
    for feed in feeds:
        feed.close()


def until(feed: JournalFeed, count: int, limit: int = 1 << 20) -> list[Arrival]:
    """Take until so many lines have come."""
    arrivals: list[Arrival] = []
    end = time.monotonic() + 10
    while sum(arrival.data.count(b"\n") for arrival in arrivals) < count and time.monotonic() < end:
        arrivals += feed.take(limit)
        time.sleep(0.01)
    return arrivals


def arguments(home: Path, run: int = 1) -> list[str]:
    """Of the nth journalctl, when it has begun."""
    path = home / f"arguments.{run}"
    end = time.monotonic() + 10
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.01)
    return path.read_text().splitlines()


def said(feed: JournalFeed) -> list[str]:
    """What is wrong, when something is."""
    end = time.monotonic() + 10
    while not feed.problems() and time.monotonic() < end:
        time.sleep(0.01)
    return list(feed.problems())


def texts(arrivals: list[Arrival]) -> list[bytes]:
    return [line.split(b": ", 1)[1] for arrival in arrivals for line in arrival.data.splitlines()]


def test_entries_become_lines_with_a_resume_point(home: Path, follow: Callable[..., JournalFeed]) -> None:
    (home / "entries.1").write_bytes(entry(0, "one") + entry(1, "two\nlines") + entry(2, "three"))
    (home / "stay").touch()
    feed = follow(Wanted(units=("postfix@-.service",)))
    arrivals = until(feed, 3)
    assert texts(arrivals) == [b"one", b"two lines", b"three"]
    resume = arrivals[-1].resume
    assert resume is not None
    assert str(resume["cursor"]).endswith(";x=0")
    assert f"i={3:x};" in str(resume["cursor"])
    assert (resume["line_number"], arrivals[-1].source) == (4, "journal")
    assert {"--follow", "--no-tail", "--unit=postfix@-.service"} <= set(arguments(home))
    assert feed.problems() == []


def test_it_is_started_again_after_the_last_entry(home: Path, follow: Callable[..., JournalFeed]) -> None:
    cut = entry(2, "cut")[:-20]
    (home / "entries.1").write_bytes(entry(0, "one") + entry(1, "two") + cut)
    (home / "entries.2").write_bytes(entry(2, "cut"))
    (home / "complaint").write_text("Failed to open something: No space left\n")
    (home / "status").write_text("1")
    feed = follow(Wanted())
    assert texts(until(feed, 3)) == [b"one", b"two", b"cut"]
    assert said(feed) == [
        "journal: journalctl ended: Failed to open something: No space left; it is started again"
    ]
    assert [word for word in arguments(home, 2) if word.startswith("--after-cursor=") and "i=2;" in word]
    assert [word for word in arguments(home, 3) if word.startswith("--after-cursor=") and "i=3;" in word]


def test_a_new_feed_goes_on_after_what_was_stored(home: Path, follow: Callable[..., JournalFeed]) -> None:
    (home / "stay").touch()
    resume: Resume = {"cursor": "s=x;i=7", "since_s": 0.0, "offset": 100, "line_number": 8}
    (home / "entries.1").write_bytes(entry(7, "eight"))
    (arrival,) = until(follow(Wanted(), resume), 1)
    assert (arrival.offset, arrival.line_number) == (100, 8)
    assert "--after-cursor=s=x;i=7" in arguments(home)


def test_beginning_at_the_end_is_remembered_before_anything_comes(
    home: Path, follow: Callable[..., JournalFeed]
) -> None:
    (home / "stay").touch()
    now = time.time()
    (arrival,) = follow(Wanted(), start="end").take(1000)
    assert arrival.data == b""
    assert arrival.resume is not None
    assert now - 1 < float(arrival.resume["since_s"] or 0) < now + 5
    arguments(home, 1)
    follow(Wanted(), arrival.resume)
    since = [word for word in arguments(home, 2) if word.startswith("--since=@")]
    assert since == [f"--since=@{int(float(arrival.resume['since_s'] or 0))}"]


def test_the_buffer_is_bounded(
    home: Path, follow: Callable[..., JournalFeed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_BUFFER_BYTES", 200_000)
    (home / "entries.1").write_bytes(b"".join(entry(number, "x" * 1000) for number in range(3000)))
    (home / "stay").touch()
    feed = follow(Wanted())
    time.sleep(0.5)
    assert feed._reading._held_bytes < 500_000
    arrivals = until(feed, 3000, limit=100_000)
    assert len(texts(arrivals)) == 3000
    assert max(len(arrival.data) for arrival in arrivals) < 400_000


def test_what_is_no_export_is_said_and_left_behind(home: Path, follow: Callable[..., JournalFeed]) -> None:
    broken = entry(1, "two\n").replace(
        (4).to_bytes(8, "little") + b"two\n\n", (3).to_bytes(8, "little") + b"two\n\n"
    )
    broken = broken.replace(b"two\n\n", b"two\r\n")
    (home / "entries.1").write_bytes(entry(0, "one") + broken + entry(2, "three"))
    (home / "entries.2").write_bytes(entry(2, "three"))
    (home / "stay").touch()
    feed = follow(Wanted())
    assert texts(until(feed, 2)) == [b"one", b"three"]
    assert feed.problems() == ["journal: 1 entries could not be read and were left out"]


def test_no_journalctl(
    tmp_path: Path, follow: Callable[..., JournalFeed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    feed = follow(Wanted())
    assert said(feed) == ["journal: there is no journalctl to read it; install systemd's journalctl"]


def test_a_resume_point_that_is_damaged() -> None:
    with pytest.raises(InputError, match="resume point"):
        JournalFeed(Wanted(), {"cursor": "x"})


@pytest.mark.skipif(
    not (shutil.which("journalctl") and os.path.exists(REMOTE)),
    reason="needs journalctl and systemd-journal-remote",
)
def test_the_real_journalctl(tmp_path: Path, follow: Callable[..., JournalFeed]) -> None:
    path = tmp_path / "mx1.journal"

    def write(*numbers: int) -> None:
        data = b"".join(entry(number, f"line {number}") for number in numbers)
        subprocess.run([REMOTE, f"--output={path}", "-"], input=data, capture_output=True, check=True)

    write(0, 1, 2)
    wanted = Wanted(files=(str(path),))
    feed = follow(wanted)
    arrivals = until(feed, 3)
    after_three = arrivals[-1].resume
    write(3, 4)
    arrivals += until(feed, 2)
    assert texts(arrivals) == [b"line %d" % number for number in range(5)]
    feed.close()
    write(5)
    child = follow(wanted, arrivals[-1].resume)
    assert texts(until(child, 1)) == [b"line 5"]
    process = child._reading._child
    assert process is not None
    process.kill()
    write(6, 7)
    assert texts(until(child, 2)) == [b"line 6", b"line 7"]
    child.close()
    assert texts(until(follow(wanted, after_three), 5)) == [b"line %d" % number for number in range(3, 8)]
