"""Which commands and users cost most, day by day.

In: records of processes.  Out: for each day, those with the most seconds of the processor (or calls, elapsed
seconds, characters read and written, or the largest size), as plain sums in true units.  A process counts on
the day on which it began.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from mailscope.host.accounts import Accounts
from mailscope.host.clock import DAY_S, Clock
from mailscope.host.processes.lastcomm import printable, users
from mailscope.host.processes.records import Processes

# What days are ordered by -> its column.
MEASURES: Final = {
    "cpu": "cpu_s",
    "calls": "calls",
    "elapsed": "elapsed_s",
    "io": "io_chars",
    "memory": "most_kib",
}
HEADS: Final = f"{'calls':>9}{'cpu s':>12}{'elapsed s':>12}{'characters':>16}{'most KiB':>11}"
NAMES: Final = ("day", "name", "calls", "cpu_s", "elapsed_s", "io_chars", "most_kib")


@dataclass
class Trend:
    """Sums by day and name."""

    _days: dict[int, dict[bytes, list[float]]] = field(default_factory=dict)

    def add(self, some: Processes, accounts: Accounts, clock: Clock, *, by_user: bool) -> None:
        """Add records."""
        names = users(some.uid, accounts) if by_user else printable(np.ascontiguousarray(some.comm))
        days = (some.btime + clock.east(some.btime)) // DAY_S
        distinct, which = np.unique(names, return_inverse=True)
        keys, place = np.unique(days * (len(distinct) + 1) + which, return_inverse=True)
        sums = [
            np.bincount(place, weights=column, minlength=len(keys))
            for column in (np.ones(len(some)), some.cpu_s, some.etime / some.ahz, some.io)
        ]
        largest = np.zeros(len(keys))
        np.maximum.at(largest, place, some.mem)
        for number, key in enumerate(keys.tolist()):
            day, name = divmod(key, len(distinct) + 1)
            row = self._days.setdefault(day, {}).setdefault(bytes(distinct[name]), [0.0] * 5)
            for at, column in enumerate(sums):
                row[at] += float(column[number])
            row[4] = max(row[4], float(largest[number]))

    def rows(self, measure: str, most: int) -> Iterator[dict[str, Any]]:
        """The first so many of each day, by a measure."""
        column = NAMES.index(MEASURES[measure]) - 2
        for day in sorted(self._days):
            found = sorted(self._days[day].items(), key=lambda each: (-each[1][column], each[0]))
            for name, (calls, cpu, elapsed, io, memory) in found[:most]:
                yield {
                    "day": (date(1970, 1, 1) + timedelta(days=day)).isoformat(),
                    "name": name.decode("utf-8", "backslashreplace"),
                    "calls": int(calls),
                    "cpu_s": round(cpu, 2),
                    "elapsed_s": round(elapsed, 2),
                    "io_chars": int(io),
                    "most_kib": int(memory),
                }


def text(rows: Iterable[dict[str, Any]], *, by_user: bool) -> Iterator[bytes]:
    """The rows as a table, day by day."""
    day = ""
    for row in rows:
        if row["day"] != day:
            day = row["day"]
            yield f"{day}\n  {'user' if by_user else 'command':<16}{HEADS}\n".encode()
        yield (
            f"  {row['name']:<16}{row['calls']:>9}{row['cpu_s']:>12.2f}{row['elapsed_s']:>12.2f}"
            f"{row['io_chars']:>16}{row['most_kib']:>11}\n"
        ).encode()
