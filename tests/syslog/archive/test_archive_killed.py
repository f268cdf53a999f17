"""Storing is killed at every step that it takes at the disk: nothing that was taken is lost, nothing is doubled."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from multilogging import in_child

from mailscope.syslog.archive.days import export
from mailscope.syslog.archive.verify import verify
from mailscope.syslog.archive.writer import Archive, begin

STEPS = ("write", "open", "fdatasync", "fsync", "pwrite", "close")
BATCHES = 6


def batch(number: int) -> bytes:
    return b"".join(b"batch %d, line %d\n" % (number, line) for line in range(5))


def doomed(directory: Path, step: int, told: int) -> Callable[[], None]:
    def work() -> None:
        archive = Archive(directory)
        left, write = [step], os.write

        def counted(call: Callable[..., Any]) -> Callable[..., Any]:
            def either(*args: Any, **options: Any) -> Any:
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return call(*args, **options)

            return either

        for name in STEPS:
            setattr(os, name, counted(getattr(os, name)))
        for number in range(BATCHES):
            archive.add(batch(number))
            write(told, b"x")

    return work


def test_nothing_is_lost_or_doubled_wherever_storing_is_killed(tmp_path: Path) -> None:
    whole = b"".join(batch(number) for number in range(BATCHES))
    step = killed = recovered = 0
    while True:
        directory = tmp_path / str(step)
        key = begin(directory)
        reading, telling = os.pipe()
        code = in_child(doomed(directory, step, telling))
        os.close(telling)
        taken = len(os.read(reading, 100))
        os.close(reading)
        archive = Archive(directory)
        recovered += archive.recovered
        held = b"".join(export(directory))
        assert whole.startswith(held), step
        assert held.count(b"\n") in (taken * 5, taken * 5 + 5), step
        archive.add(whole[len(held) :])
        archive.close()
        assert b"".join(export(directory)) == whole
        verdict = verify(directory, key)
        assert verdict.good, (step, verdict)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        killed += 1
        step += 1
    assert killed > 40
    assert recovered


def test_a_write_that_an_outage_cut_is_set_aside(tmp_path: Path) -> None:
    key = begin(tmp_path / "a")
    archive = Archive(tmp_path / "a")
    archive.add(batch(0))
    archive.close()
    file = next((tmp_path / "a").glob("*.zst"))
    before = file.read_bytes()
    file.write_bytes(before + before[: len(before) // 2])
    archive = Archive(tmp_path / "a")
    archive.add(batch(1))
    archive.close()
    assert b"".join(export(tmp_path / "a")) == batch(0) + batch(1)
    assert verify(tmp_path / "a", key).good
    assert list((tmp_path / "a").glob("*.damaged-*"))
