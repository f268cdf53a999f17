"""Anything that may happen to a log, in any order: every line is got exactly once.

Left out by construction is what nobody can do without loss (docs/following.md): writing between the copy and
the truncation of copytruncate, truncating or deleting what was not read yet.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from following import Daemon, Program, compress, copytruncate, rename

from mailscope.intake.follow.files import Followed

STEPS = 60
SECONDS_A_SEED = 0.5


class World:
    """A log, the programs that write it, what rotates it and the daemon that follows it."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self.dice = dice
        self.log = folder / "mail.log"
        # A second passes between two things that happen: what happens within one tick of the kernel's
        # clock cannot be told apart where only the times of files tell which is newer.
        self.clock = itertools.count(time.time_ns() + 10**9, 10**9)
        self.program = Program(self.log, clock=self.clock)
        self.late: list[Program] = []  # that hold a renamed file open
        self.counters = Counter[str]()
        # Half of a line, which its program is about to end.
        self.half = b""
        start = dice.choice([Followed(str(self.log)), Followed(f"{folder}/mail*"), Followed(str(folder))])
        self.daemon = Daemon(start)
        self.took: list[str] = []
        self.program.write()  # a log that the store has never heard of is another matter
        self.drain()

    @property
    def written(self) -> list[bytes]:
        return [line for program in (self.program, *self.late) for line in program.written]

    def write(self) -> None:
        self.end_line()
        self.program.write(self.dice.choice([1, 2, 5, 40]))

    def write_half(self) -> None:
        self.end_line()
        line = self.program.line() + b"\n"
        self.half = line[30:]
        self.program.put(line[:30])

    def end_line(self) -> None:
        if self.half:
            self.program.put(self.half)
        self.half = b""

    def write_late(self) -> None:
        if self.late:
            self.late[-1].write()
            self.daemon.run(1)  # what comes after the time of grace is lost with a crash if packed as well

    def rename(self) -> None:
        self.end_line()
        self.retire()
        rename(self.log)
        self.reopen()

    def retire(self) -> None:
        """Nobody writes into a file that has been rotated twice."""
        while self.late:
            self.program.written += self.late.pop().written

    def rename_and_hold(self) -> None:
        """A second program goes on with the renamed file for a while."""
        self.write()  # an empty file leaves no mark by which it could be known again
        self.retire()
        late = Program(self.log, f"late{len(self.took)}", self.clock)
        rename(self.log)
        self.late.append(late)
        if self.dice.random() < 0.7:
            late.write(self.dice.choice([1, 30]))
        self.reopen()

    def reopen(self) -> None:
        if self.dice.random() < 0.3:
            self.daemon.run(1)  # it sees that there is no file
        self.program.reopen()

    def copytruncate(self) -> None:
        self.end_line()
        self.retire()
        copytruncate(self.log)
        now = next(self.clock)
        os.utime(f"{self.log}.1", ns=(now, now))
        self.program.stamp()

    def truncate(self) -> None:
        self.end_line()
        self.drain()
        os.truncate(self.log, 0)
        self.program.stamp()
        self.drain()

    def replace(self) -> None:
        """A longer copy of it is put in its place, as rsync does."""
        self.end_line()
        copy = self.log.with_name(".copy")
        shutil.copyfile(self.log, copy)
        copy.rename(self.log)
        self.program.reopen()
        self.daemon.run(1)

    def compress(self) -> None:
        for number in range(1, 6):
            old = Path(f"{self.log}.{number}")
            if old.exists() and self.dice.random() < 0.5:
                if number == 1:
                    self.hold_no_more()
                compress(old)

    def delete_oldest(self) -> None:
        self.drain()
        rotated = sorted(self.log.parent.glob("mail.log.*"), key=lambda path: int(path.name.split(".")[2]))
        for path in rotated[1:]:
            path.unlink()

    def hold_no_more(self) -> None:
        """What is written into a file that no name leads to is lost with a crash: it is read before."""
        if self.late:
            self.drain()
            self.retire()

    def take(self) -> None:
        self.daemon.run(
            1, limit=self.dice.choice([1, 200, 1000, 1 << 20]), seconds=self.dice.choice([0.1, 1, 20])
        )

    def crash(self) -> None:
        """Killed: after storing, before storing, or with a part of it stored."""
        arrivals = self.daemon.take(self.dice.choice([200, 1000, 1 << 20]))
        self.daemon.store(arrivals[: self.dice.randint(0, len(arrivals))])
        self.daemon.kill()
        for _ in range(self.dice.randint(0, 6)):
            self.dice.choice(
                [self.write, self.write, self.rename_down, self.copytruncate_down, self.compress_down]
            )()
        self.daemon.start()

    def rename_down(self) -> None:
        self.end_line()
        self.retire()
        rename(self.log)
        self.program.reopen()

    def copytruncate_down(self) -> None:
        self.end_line()
        self.retire()
        copytruncate(self.log)
        now = next(self.clock)
        os.utime(f"{self.log}.1", ns=(now, now))
        self.program.stamp()

    def compress_down(self) -> None:
        for number in range(1, 6):
            old = Path(f"{self.log}.{number}")
            if old.exists() and self.dice.random() < 0.5:
                if number == 1:
                    self.retire()
                compress(old)

    def drain(self) -> None:
        quiet = 0
        while quiet < 4:  # a new log is searched for every second time
            quiet = 0 if self.daemon.stored_some() else quiet + 1

    def step(self) -> None:
        steps: list[tuple[int, Callable[[], None]]] = [
            (10, self.write), (4, self.write_half), (4, self.write_late), (10, self.take), (4, self.rename),
            (2, self.rename_and_hold), (3, self.copytruncate), (1, self.truncate), (1, self.replace),
            (3, self.compress), (1, self.delete_oldest), (4, self.crash),
        ]  # fmt: skip
        weights, what = zip(*steps, strict=True)
        (chosen,) = self.dice.choices(what, weights)
        self.took.append(chosen.__name__)
        chosen()

    def check(self) -> None:
        self.end_line()
        self.daemon.settle()
        got, wanted = Counter(self.daemon.lines()), Counter(self.written)
        assert got == wanted, (
            f"lost {sorted((wanted - got).elements())}, twice {sorted((got - wanted).elements())}",
            self.took,
        )
        assert self.daemon.feed.problems() == [], self.took


@pytest.mark.parametrize("seed", range(25))
def test_every_line_is_got_exactly_once(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    until = time.monotonic() + SECONDS_A_SEED
    world = World(tmp_path, dice)
    for _ in range(STEPS):
        world.step()
        if time.monotonic() > until:
            break
    world.check()
    world.daemon.kill()
