"""Run commands and measure them: wall time, processor time, peak memory.

Memory is that of the command and its child processes together: the sum of their proportional sets
(Pss in /proc/PID/smaps_rollup, proc(5): a page that several processes share, such as those of a library,
counts once), looked at ten times a second, or `ru_maxrss` (getrusage(2)) of the largest where that is
more.  A child begins as a copy of its parent and inherits that much as its peak, so this process must stay
small: logs are made by another process.
"""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import starmap
from operator import truediv
from pathlib import Path
from statistics import median

CHUNK = 1 << 20


class CommandError(Exception):
    """A measured command did not end well."""


@dataclass(frozen=True)
class Command:
    """A command to measure; its output goes nowhere."""

    words: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """What one run cost."""

    wall_s: float
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True)
class Spread:
    """The median of several figures, with the least and the greatest."""

    middle: float
    least: float
    greatest: float

    @classmethod
    def of(cls, figures: list[float]) -> "Spread":
        """Sum up figures."""
        return cls(median(figures), min(figures), max(figures))

    def __str__(self) -> str:
        """Write three significant digits: `1.04 (0.98 to 1.11)`."""
        return f"{self.middle:.3g} ({self.least:.3g} to {self.greatest:.3g})"


class FamilyMemory:
    """Watches the memory of a process and its descendants until asked for the peak."""

    def __init__(self, pid: int) -> None:
        """Begin to watch."""
        self._pid = pid
        self._peak_kb = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def peak_mb(self) -> float:
        """Stop watching and give the largest sum seen, in MiB."""
        self._done.set()
        self._thread.join()
        return self._peak_kb / 1024

    def _watch(self) -> None:
        while not self._done.wait(0.1):
            self._peak_kb = max(self._peak_kb, self._kb(self._pid))

    def _kb(self, pid: int) -> int:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:  # it has ended meanwhile
            return 0
        proportional = next(
            (int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0
        )
        return proportional + sum(self._kb(int(child)) for child in children)


def run(command: Command) -> Run:
    """Run a command once."""
    # An installed program has its bytecode; the first run writes it, unless the environment forbids that.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            command.words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env={**inherited, **command.environment},
        )
        family = FamilyMemory(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started
        together_mb = family.peak_mb()
        process.returncode = os.waitstatus_to_exitcode(status)  # so that Popen does not wait for it again
        if process.returncode:
            errors.seek(0)
            last = errors.read().decode(errors="replace").strip().rpartition("\n")[2]
            message = f"{' '.join(command.words)} ended with {process.returncode}: {last}"
            raise CommandError(message)
    return Run(wall_s, usage.ru_utime + usage.ru_stime, max(usage.ru_maxrss / 1024, together_mb))


def in_turn(commands: Mapping[str, Command], times: int, say: Callable[[str], None]) -> dict[str, list[Run]]:
    """Run commands A B A B ..., so that whatever slows the machine slows all of them."""
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for number in range(1, times + 1):
        for name, command in commands.items():
            say(f"{name} {number}/{times}")
            runs[name].append(run(command))
    return runs


def ratio(over: list[Run], under: list[Run]) -> Spread:
    """Divide the wall times of runs that were made in pairs."""
    return Spread.of(list(starmap(truediv, zip(walls(over), walls(under), strict=True))))


def walls(runs: list[Run]) -> Iterator[float]:
    """Give the wall times of runs, in seconds."""
    return (each.wall_s for each in runs)


def warm(path: Path) -> Path:
    """Read a file once, so that no run pays for the disk."""
    with path.open("rb", buffering=0) as file:
        while file.read(CHUNK):
            pass
    return path
