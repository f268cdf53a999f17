"""SIGTERM, SIGALRM, and a directory that somebody else writes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from multilogging import in_child
from receiving import waited_for

from mailscope.syslog.multilog.feed import Feed
from mailscope.syslog.multilog.script import parse

COMMAND = [sys.executable, "-m", "mailscope", "syslog", "multilog"]


def started(folder: Path, *script: str) -> tuple[subprocess.Popen[bytes], int]:
    reading, writing = os.pipe()
    process = subprocess.Popen([*COMMAND, *script], cwd=folder, stdin=reading, stderr=subprocess.PIPE)
    os.close(reading)
    return process, writing


def holds(file: Path, data: bytes) -> bool:
    return waited_for(lambda: file.exists() and file.read_bytes() == data)


def test_alarm_begins_another_file(tmp_path: Path) -> None:
    process, writing = started(tmp_path, "./log")
    os.write(writing, b"one\n")
    assert holds(tmp_path / "log" / "current", b"one\n")
    process.send_signal(signal.SIGALRM)
    assert holds(tmp_path / "log" / "current", b"")
    process.send_signal(signal.SIGALRM)  # with nothing in it there is nothing to rotate
    os.write(writing, b"two\n")
    assert holds(tmp_path / "log" / "current", b"two\n")
    os.close(writing)
    assert process.wait(10) == 0
    finished = [name for name in os.listdir(tmp_path / "log") if name.startswith("@")]
    assert len(finished) == 1
    assert re.fullmatch(r"@[0-9a-f]{24}\.s", finished[0])


def test_term_leaves_what_is_behind_the_line(tmp_path: Path) -> None:
    process, writing = started(tmp_path, "./log")
    keeping = os.dup(writing)
    os.write(writing, b"one\nbegun")
    assert waited_for(lambda: (tmp_path / "log" / "current").exists())
    assert holds(tmp_path / "log" / "current", b"one\n")
    process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    assert process.poll() is None
    reading = os.open(f"/proc/self/fd/{writing}", os.O_RDONLY | os.O_NONBLOCK)
    os.write(writing, b" and ended\nfor the next\n")
    assert process.wait(10) == 0
    assert (tmp_path / "log" / "current").read_bytes() == b"one\nbegun and ended\n"
    assert (tmp_path / "log" / "current").stat().st_mode & 0o777 == 0o744
    assert os.read(reading, 100) == b"for the next\n"
    for descriptor in (keeping, reading, writing):
        os.close(descriptor)


def test_a_second_writer_is_refused_in_the_words_of_the_original(tmp_path: Path) -> None:
    process, writing = started(tmp_path, "./log")
    assert waited_for(lambda: (tmp_path / "log" / "lock").exists())
    done = subprocess.run([*COMMAND, "./log"], cwd=tmp_path, input=b"x\n", capture_output=True, check=False)
    assert done.returncode == 111
    assert done.stderr == b"multilog: fatal: unable to lock directory ./log: temporary failure\n"
    os.close(writing)
    assert process.wait(10) == 0


def test_it_takes_a_hundred_thousand_lines_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time of the processor, so that other work of the machine does not count; stamped, filtered, rotated."""
    lines = b"".join(
        b"delivery %d: success: did_1+0+0/ and some more text\n" % number for number in range(200_000)
    )
    given = tmp_path / "in"
    given.write_bytes(lines)
    monkeypatch.chdir(tmp_path)
    before = os.times().children_user + os.times().children_system

    def work() -> None:
        Feed(parse([b"t", b"-*status: *", b"s1000000", b"n5", b"./log"]), os.open(given, os.O_RDONLY)).run()

    assert in_child(work) == 0
    took = os.times().children_user + os.times().children_system - before
    assert took < 2.0, f"{200_000 / took:.0f} lines/s"
