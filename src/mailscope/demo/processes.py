"""Processes of Postfix: each serves one client or message at a time, at most a hundred in all."""

import heapq
from collections.abc import Iterator

MAX_USES = 100  # main.cf: max_use
MAX_IDLE_US = 100_000_000  # main.cf: max_idle


def process_ids(first: int, steps: Iterator[int]) -> Iterator[int]:
    """Give rising process ids that wrap round, as the kernel does."""
    pid = first
    while True:
        pid += next(steps)
        if pid > 4_194_304:
            pid = 300
        yield pid


class ProcessPool:
    """The processes of one service. `take` gives the tag of a log line: `postfix/smtpd[1234]: `."""

    def __init__(self, program: str, pids: Iterator[int]) -> None:
        self._program = program
        self._pids = pids
        self._idle: list[tuple[int, str, int]] = []

    def take(self, now: int) -> tuple[str, int]:
        """Take a process that is idle at `now`, or start one; returns its tag and its uses so far."""
        idle = self._idle
        while idle and idle[0][0] <= now:
            since, tag, uses = heapq.heappop(idle)
            if uses < MAX_USES and now - since < MAX_IDLE_US:
                return tag, uses
        return f"{self._program}[{next(self._pids)}]: ", 0

    def give_back(self, process: tuple[str, int], when: int) -> None:
        """Say that a process is idle from `when` on."""
        heapq.heappush(self._idle, (when, process[0], process[1] + 1))
