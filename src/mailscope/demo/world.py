"""The world: its clock, its chance, its processes and queue ids, and what is wrong with it just now."""

from __future__ import annotations

import heapq
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from mailscope.demo.files import MAIL, LogFiles
from mailscope.demo.plan import DAY, HOUR, Plan
from mailscope.demo.processes import ProcessPool, process_ids
from mailscope.demo.queueids import Inodes, LongIds

T = TypeVar("T")
Action = Callable[[], object]


@dataclass
class Conditions:
    """What is wrong just now, outside the ordinary."""

    dns_down: bool = False
    port_25_closed: bool = False
    certificate_expired: bool = False
    disk_full: bool = False
    mail_down: bool = False  # Postfix and Dovecot are stopped
    refusals: dict[str, tuple[str, str, str, str]] = field(
        default_factory=dict
    )  # domain: dsn, status, reply, step
    slow: dict[str, int] = field(default_factory=dict)  # domain: centiseconds that each transmission takes
    no_handshake: set[str] = field(default_factory=set)  # domains with which TLS fails
    dnsbl_share: float = 0.0  # of the receiving domains, those that ask the list that has us
    spam_senders: set[str] = field(default_factory=set)  # whose mail is often refused for what it says
    muted: set[str] = field(default_factory=set)  # programs whose lines are lost


class World:
    """Everything that all actions share. Actions run in order of time and log lines from now on."""

    def __init__(self, plan: Plan, files: LogFiles) -> None:
        self.plan = plan
        self.files = files
        self.rng = Random(f"mailscope {plan.seed}")
        self.chance = self.rng.random
        self.now = plan.begin
        self.conditions = Conditions()
        self.inodes = Inodes()
        self._make_id = LongIds()
        self._pids = process_ids(1200, self._pid_steps())
        self._pools: dict[str, ProcessPool] = {}
        self._heap: list[tuple[int, int, Action]] = []
        self._serial = 0

    def _pid_steps(self) -> Iterator[int]:
        while True:
            yield 1 + int(self.chance() * 12)

    def pid(self) -> int:
        """Start a process."""
        return next(self._pids)

    def pool(self, program: str) -> ProcessPool:
        """Give the processes of a service, named as its log tag names it."""
        pool = self._pools.get(program)
        if pool is None:
            pool = self._pools[program] = ProcessPool(program, self._pids)
        return pool

    def restart_processes(self) -> None:
        """Forget all processes: their services were stopped."""
        self._pools.clear()

    def queue_id(self, time: int) -> tuple[str, int]:
        """Make a queue file: its id and inode. The inode must be given back to `inodes`."""
        inode = self.inodes.take(self.now)
        return self._make_id(time, inode), inode

    def session_id(self) -> str:
        """Make a session's name as Dovecot does."""
        return b64encode(self.rng.getrandbits(96).to_bytes(12, "big")).decode()

    def draw(self, members: Sequence[T]) -> T:
        """Draw a member of a pool."""
        return members[int(self.chance() * len(members))]

    def between(self, least: int, most: int) -> int:
        """Draw a duration or instant."""
        return least + int(self.chance() * (most - least))

    def poisson(self, mean: float) -> int:
        """Draw how often something happens that happens `mean` times on average."""
        if mean > 50:
            return max(0, round(self.rng.gauss(mean, mean**0.5)))
        number, passed = 0, self.rng.expovariate(1)
        while passed < mean:
            number += 1
            passed += self.rng.expovariate(1)
        return number

    def log(self, time: int, tag: str, text: str, name: str = MAIL) -> None:
        """Log a line; `tag` ends with `: `."""
        muted = self.conditions.muted
        if muted and tag.partition("[")[0].partition(":")[0].partition("/")[0] in muted:
            return
        self.files.add(time, name, tag + text)

    def at(self, time: int, action: Action) -> None:
        """Do something at an instant, at once if it has passed."""
        self._serial += 1
        heapq.heappush(self._heap, (max(time, self.now), self._serial, action))

    def every_day(self, action: Callable[[int], None]) -> None:
        """Do something at each midnight, the first included; it is told the number of the day."""
        for day in range(self.plan.days):
            self.at(self.plan.begin + day * DAY, lambda day=day: action(day))  # type: ignore[misc]

    def run(self) -> None:
        """Let everything happen, and write the files."""
        heap = self._heap
        wrote = self.plan.begin
        while heap and heap[0][0] < self.plan.end:
            self.now, _, action = heapq.heappop(heap)
            if self.now >= wrote + HOUR:
                wrote = self.now
                self.files.write(wrote)
            action()
        self.files.write(self.plan.end)
        self.files.close(self.plan.end)
