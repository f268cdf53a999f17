"""The site: its processes, inodes and clock, and the loop that fills one slice of time after another."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from random import Random
from typing import TypeVar

from loggen.population import Population
from loggen.timeline import SECOND_US, SLICE_US, Timeline, load_at
from mailscope.demo.processes import ProcessPool, process_ids
from mailscope.demo.queueids import Inodes, LongIds, short_id

T = TypeVar("T")
DAEMONS = ("qmgr", "pickup", "anvil", "scache", "master")  # one process each, all day
DAY_US = 86_400 * SECOND_US


@dataclass(frozen=True)
class Plan:
    """What log to make."""

    lines: int
    days: float
    seed: int
    start_us: int
    host: str
    envelope: str
    long_queue_ids: bool


class Site:
    """What every activity needs: chance, people, processes, queue ids and the timeline."""

    def __init__(self, plan: Plan, timeline: Timeline) -> None:
        rng = Random(plan.seed)
        self.plan = plan
        self.rng = rng
        self.chance = rng.random
        self.timeline = timeline
        self.add = timeline.add
        self.fqdn = f"{plan.host}.example.org"
        scale = max(300, min(plan.lines // 60, 40_000))
        self.population = Population(rng, domains=max(60, scale // 7), people=scale)
        self.short_delays = [min(int(rng.lognormvariate(0.2, 0.9)), 900) for _ in range(4096)]
        self.connect_delays = [min(4 + int(rng.lognormvariate(2.6, 0.9)), 3000) for _ in range(4096)]
        self.transmit_delays = [min(3 + int(rng.lognormvariate(3.2, 0.9)), 3000) for _ in range(4096)]
        self.inodes = Inodes()
        self.now = plan.start_us
        self._make_id = LongIds() if plan.long_queue_ids else short_id
        self._pids = process_ids(1200, self._pid_steps())
        self._pools: dict[str, ProcessPool] = {}
        self._later: dict[int, list[tuple[int, int, Callable[[], None]]]] = {}
        self._serial = 0
        self.qmgr, self.pickup, self.anvil, self.scache, self.master = map(self._daemon, DAEMONS)

    def _daemon(self, name: str) -> str:
        return f"postfix/{name}[{next(self._pids)}]: "

    def _pid_steps(self) -> Iterator[int]:
        while True:
            yield 1 + int(self.chance() * 12)

    def pool(self, program: str) -> ProcessPool:
        """Give the processes of a service, named as its log tag names it."""
        pool = self._pools.get(program)
        if pool is None:
            pool = self._pools[program] = ProcessPool(program, self._pids)
        return pool

    def draw(self, members: Sequence[T]) -> T:
        """Draw a member of a pool."""
        return members[int(self.chance() * len(members))]

    def queue_id(self, time_us: int) -> tuple[str, int]:
        """Make a queue file: its id and inode. The inode must be given back to `inodes`."""
        inode = self.inodes.take(self.now)
        return self._make_id(time_us, inode), inode

    def later(self, time_us: int, action: Callable[[], None]) -> None:
        """Do something in a later slice of time (at least `SLICE_US` from now)."""
        self._serial += 1
        self._later.setdefault(time_us // SLICE_US, []).append((time_us, self._serial, action))

    def due(self, index: int) -> list[tuple[int, int, Callable[[], None]]]:
        """Take what was put off until this slice."""
        return self._later.pop(index, [])


def run(site: Site, start_activity: Callable[[int], None], housekeeping: Callable[[int, int], None]) -> None:
    """Fill and write the slices until the plan's lines are written.

    `start_activity(now)` begins one session; `housekeeping(now, lines)` runs once a slice. How many
    sessions a slice needs is steered by the lines that earlier sessions gave.
    """
    plan, timeline = site.plan, site.timeline
    first = plan.start_us // SLICE_US
    slices = max(1, int(plan.days * DAY_US) // SLICE_US)
    loads = list(accumulate(load_at((first + n) * SLICE_US) for n in range(slices)))
    sessions, added = 1, 8.0  # a first guess of lines per session
    serial = 0
    for number in range(slices):
        index = first + number
        begin = index * SLICE_US
        last = number == slices - 1
        target = round(plan.lines * loads[number] / loads[-1])
        wanted = target - timeline.truth.lines - timeline.waiting(index)
        count = int(max(wanted, 0) * sessions / added + site.chance())
        if last:
            count = int(count * 1.4) + 20
        starts = site.due(index)
        for _ in range(count):
            serial += 1
            time_us = begin + int(site.chance() * SLICE_US)
            starts.append((time_us, -serial, partial(start_activity, time_us)))
        housekeeping(begin, timeline.truth.lines)
        starts.sort(key=lambda start: start[:2])
        before = timeline.added
        for time_us, _, action in starts:
            site.now = time_us
            action()
        sessions += count
        added += timeline.added - before
        while last and timeline.waiting(index) < timeline.missing:
            start_activity(site.now)
        timeline.write(index)
