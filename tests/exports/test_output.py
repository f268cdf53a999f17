"""Files of events are whole or not there; names tell the form."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from exporting import EVENTS, LOG, busy, events, write

from mailscope.exports.forms import FORMS, of_file
from mailscope.exports.output import OutputFile
from mailscope.vocabulary.errors import InputError, OutputError, UsageError


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.jsonl", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("a.json", "json"),
        ("A.CSV", "csv"),
        ("a.parquet", "parquet"),
        ("a.ecs.jsonl", "ecs"),
        ("a.gelf.jsonl", "gelf"),
        ("a.otlp.jsonl", "otlp"),
    ],
)
def test_the_end_of_a_name_tells_the_form(name: str, form: str) -> None:
    found = of_file(name)
    assert found is not None
    assert found.name == form


def test_every_form_is_told_by_some_name() -> None:
    assert [form.name for form in FORMS if of_file("x" + form.suffixes[0]) is not form] == []


@pytest.mark.parametrize("form", ["jsonl", "json", "csv", "ecs", "gelf"])
def test_a_file_holds_what_standard_output_does(log: Path, tmp_path: Path, form: str) -> None:
    out = tmp_path / "events.txt"
    result = events(log, "--format", form, "-o", out)
    assert result.exit_code == 0, result.output
    assert out.read_text() == events(log, "--format", form).stdout
    assert events(log, "--format", form, "-o", "-").stdout == out.read_text()


def test_a_name_that_tells_nothing_is_wrong_use(log: Path, tmp_path: Path) -> None:
    result = events(log, "-o", tmp_path / "events.txt")
    assert isinstance(result.exception, UsageError)
    assert "--format" in str(result.exception)


def test_the_log_itself_is_never_written(log: Path, tmp_path: Path) -> None:
    (tmp_path / "link.jsonl").symlink_to(log)
    for out in (log, tmp_path / "link.jsonl"):
        result = events(log, "--format", "jsonl", "-o", out)
        assert isinstance(result.exception, UsageError)
    assert log.read_text() == LOG


def test_an_old_file_stays_until_the_new_one_is_complete(log: Path, tmp_path: Path) -> None:
    out = tmp_path / "events.jsonl"
    out.write_text("old")
    with suppress(RuntimeError), OutputFile(str(out)) as file:
        file.out.write(b"new")
        raise RuntimeError
    assert out.read_text() == "old"
    assert events(log, "-o", out).exit_code == 0
    assert len(out.read_text().splitlines()) == EVENTS
    assert {path.name for path in tmp_path.iterdir()} == {"mail.log", "events.jsonl"}


def test_nothing_to_read_leaves_no_file(tmp_path: Path) -> None:
    out = tmp_path / "events.jsonl"
    result = events(write(tmp_path, ""), "-o", out)
    assert isinstance(result.exception, InputError)
    assert {path.name for path in tmp_path.iterdir()} == {"mail.log"}


def test_a_link_stays_a_link_and_rights_are_the_umasks(log: Path, tmp_path: Path) -> None:
    target, link = tmp_path / "target.jsonl", tmp_path / "link.jsonl"
    link.symlink_to(target)
    before = os.umask(0o027)
    try:
        assert events(log, "-o", link).exit_code == 0
    finally:
        os.umask(before)
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_place_that_cannot_be_written(log: Path, tmp_path: Path) -> None:
    result = events(log, "-o", tmp_path / "absent" / "events.jsonl")
    assert isinstance(result.exception, OutputError)
    assert f"there is no directory '{tmp_path}/absent'" in str(result.exception)


def test_a_full_disk_is_told(log: Path) -> None:
    command = [sys.executable, "-m", "mailscope", "events", str(log), "--format", "jsonl", "-o", "/dev/full"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "mailscope: /dev/full: the disk is full; make room and run it again\n"
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command[:5], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.stderr == "mailscope: standard output: the disk is full; make room and run it again\n"


def test_a_pipe_is_written_directly(log: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "mailscope", "events", "--tz", "UTC", str(log), "-o", str(pipe)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        assert len(pipe.read_text().splitlines()) == EVENTS
    assert process.returncode == 0
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("later_s", [0.0, 3.0], ids=["at work", "waiting for more"])
def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, later_s: float) -> None:
    log, out = write(tmp_path, busy(1000)), tmp_path / "events.jsonl"
    command = [sys.executable, "-m", "mailscope", "events", "-", "-o", str(out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(log.read_bytes() * 20)
        process.stdin.flush()
        deadline = time.monotonic() + 20
        while not list(tmp_path.glob(".*.part")):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(later_s)
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(timeout=20) == 130
        finally:
            process.kill()
        said = process.stderr.read().decode()
    assert "interrupted" in said
    assert f"{out} was not written" in said
    assert {path.name for path in tmp_path.iterdir()} == {"mail.log"}
