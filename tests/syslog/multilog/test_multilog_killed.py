"""multilog is killed at every step that it takes at the disk: what it had written is there once, in order."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from multilogging import in_child

from mailscope.syslog.multilog.feed import Feed
from mailscope.syslog.multilog.script import parse

STEPS = (
    "fsync",
    "rename",
    "open",
    "fchmod",
    "chmod",
    "link",
    "unlink",
    "write",
    "close",
    "posix_spawn",
    "listdir",
    "stat",
)
BLOCK, BLOCKS = 10, 36


def block(number: int) -> bytes:
    first = number * BLOCK
    return b"".join(b"line %06d of the log\n" % line for line in range(first, first + BLOCK))


def contents(folder: Path) -> bytes:
    """All that a directory holds, in order, each file once whatever names it has."""
    seen, parts = set(), []
    names = sorted(name for name in os.listdir(folder) if name.startswith("@"))
    for name in (*names, "processed", "previous", "current"):
        file = folder / name
        if not file.exists() or file.stat().st_ino in seen:
            continue
        if name == "previous" and (folder / "processed").exists():
            if (folder / "processed").stat().st_mode & 0o100:
                continue  # the processor has done its work on it
        elif name == "processed" and not file.stat().st_mode & 0o100:
            continue
        seen.add(file.stat().st_ino)
        parts.append(file.read_bytes())
    return b"".join(parts)


def doomed(folder: Path, script: list[bytes], step: int, told: int) -> Callable[[], None]:
    """A multilog that dies before its step of that number; tells each block that is written."""

    def work() -> None:
        os.chdir(folder)
        feed = Feed(parse(script), os.open(os.devnull, os.O_RDONLY))
        left = [step]

        def counted(call: Callable[..., Any]) -> Callable[..., Any]:
            def either(*args: Any, **options: Any) -> Any:
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return call(*args, **options)

            return either

        write = os.write
        for name in STEPS:
            setattr(os, name, counted(getattr(os, name)))
        for number in range(BLOCKS):
            feed.take(block(number))
            write(told, b"x")
        feed.finish()

    return work


@pytest.mark.parametrize("processor", [None, b"!cat"], ids=["plain", "processor"])
def test_nothing_is_lost_or_doubled_wherever_it_is_killed(processor: bytes | None, tmp_path: Path) -> None:
    script = [b"s4096", b"n1000", *([processor] if processor else []), b"./log"]
    step = killed = 0
    while True:
        folder = tmp_path / f"{step}"
        folder.mkdir()
        reading, telling = os.pipe()
        code = in_child(doomed(folder, script, step, telling))
        os.close(telling)
        written = len(os.read(reading, 4096))
        os.close(reading)
        log = folder / "log"
        whole = b"".join(block(number) for number in range(BLOCKS))
        held = contents(log)
        assert whole.startswith(held), step
        assert len(held) >= written * len(block(0)), step
        if code == 0:
            break
        assert code == -signal.SIGKILL
        killed += 1
        # Another one goes on there: it puts the directory in order and writes the rest.
        given = tmp_path / "rest"
        given.write_bytes(whole[len(held) :])

        def go_on() -> None:
            os.chdir(folder)  # noqa: B023
            Feed(parse(script), os.open(given, os.O_RDONLY)).run()  # noqa: B023

        assert in_child(go_on) == 0
        assert contents(log) == whole, step
        names = set(os.listdir(log))
        assert names >= {"current", "lock", "state"}
        assert not names & {"previous", "processed", "newstate"}, step
        step += 1 if step < 60 else 7
    assert killed > 50
