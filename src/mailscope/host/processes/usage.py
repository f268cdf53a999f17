"""What commands and users cost, added up: the sums behind ``sa`` and its summaries.

A sum is what GNU acct's savacct and usracct hold: calls, seconds of the user's, the system's and the elapsed
time, memory, input and output, page faults and swaps.  They are added in the order of the records, one after
the other, so that they are GNU's to the last bit.  Keys come in the order in which they were first met.

Two of GNU's figures are not what they are called: its memory is KiB divided by the KiB of a page (4 on most
machines), and its input and output are characters divided by the ticks of a second.  Those are kept, as
summaries hold them; ``true_kib`` is the memory as it was.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from mailscope.host.columns import c_texts
from mailscope.host.processes.records import FORKED, Numbers, Processes

COMMAND_BYTES: Final = 16
USER_BYTES: Final = 32
# As they stand in savacct and usracct.
SUMS: Final = ("user_s", "system_s", "elapsed_s", "memory", "io", "minor_faults", "major_faults", "swaps")
PAGE_KIB: Final = os.sysconf("SC_PAGE_SIZE") / 1024.0
_CALLS: Final = len(SUMS)
_FACTORS: Final = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class Cost:
    """The sums of one command, of one user, or of all."""

    calls: int
    sums: tuple[float, ...]

    @property
    def user_s(self) -> float:
        """Seconds of the user's code."""
        return self.sums[0]

    @property
    def system_s(self) -> float:
        """Seconds of the kernel's code."""
        return self.sums[1]

    @property
    def cpu_s(self) -> float:
        """Seconds of the processor."""
        return self.sums[0] + self.sums[1]

    @property
    def elapsed_s(self) -> float:
        """Seconds from the beginning to the end, added up."""
        return self.sums[2]

    @property
    def memory(self) -> float:
        """Average sizes added up, in GNU's unit."""
        return self.sums[3]

    @property
    def io(self) -> float:
        """Characters read and written, in GNU's unit."""
        return self.sums[4]

    @property
    def true_kib(self) -> float:
        """The average size of a call, in KiB."""
        return self.memory * PAGE_KIB / self.calls if self.calls else 0.0

    def plus(self, other: Cost) -> Cost:
        """Both together."""
        return Cost(
            self.calls + other.calls, tuple(a + b for a, b in zip(self.sums, other.sums, strict=True))
        )


NOTHING: Final = Cost(0, (0.0,) * len(SUMS))


@dataclass
class Ledger:
    """Costs by key, in the order in which keys were first met."""

    numbers: dict[bytes, int] = field(default_factory=dict)
    _sums: Numbers = field(default_factory=lambda: np.zeros((64, _CALLS + 1)))

    def add(self, keys: npt.NDArray[np.bytes_], which: npt.NDArray[np.int64], values: Numbers) -> None:
        """Add rows: ``which`` of the distinct keys each is of, and its sums with the calls behind them."""
        ids = np.array([self._number(bytes(key)) for key in keys], dtype=np.int64)
        for place in range(_CALLS + 1):
            # One after the other, as rounding depends on the order.
            np.add.at(self._sums[:, place], ids[which], values[:, place])

    def put(self, key: bytes, cost: Cost) -> None:
        """Add the cost of one key."""
        number = self._number(key)
        self._sums[number] += (*cost.sums, cost.calls)

    def costs(self) -> list[tuple[bytes, Cost]]:
        """All keys with their costs."""
        rows = self._sums[: len(self.numbers)].tolist()
        return [
            (key, Cost(int(row[_CALLS]), tuple(row[:_CALLS])))
            for key, row in zip(self.numbers, rows, strict=True)
        ]

    def _number(self, key: bytes) -> int:
        number = self.numbers.setdefault(key, len(self.numbers))
        if number >= len(self._sums):
            self._sums = np.concatenate([self._sums, np.zeros_like(self._sums)])
        return number


@dataclass
class Usage:
    """Costs by command (its name, and whether it forked without exec), by user, and in all."""

    commands: Ledger = field(default_factory=Ledger)
    users: Ledger = field(default_factory=Ledger)
    total: Cost = NOTHING

    def add_total(self, values: Numbers) -> None:
        """Add rows to the total, one after the other."""
        begin = np.array([[*self.total.sums, self.total.calls]])
        end = np.cumsum(np.concatenate([begin, values]), axis=0)[-1].tolist()
        self.total = Cost(int(end[_CALLS]), tuple(end[:_CALLS]))

    def add_commands(self, some: Processes, values: Numbers) -> None:
        """Add records by command."""
        keys, which = distinct(command_keys(some))
        self.commands.add(keys, which, values)

    def add_users(self, names: npt.NDArray[np.bytes_], values: Numbers) -> None:
        """Add records by the names of their users."""
        keys, first, which = np.unique(names, return_index=True, return_inverse=True)
        order = np.argsort(first)
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        self.users.add(keys[order], place[which], values)


def values_of(some: Processes, page_kib: float = PAGE_KIB) -> Numbers:
    """The sums of each record, as GNU counts them, and 1 for the call."""
    count = len(some)
    out = np.empty((count, _CALLS + 1))
    out[:, 0] = some.utime / some.ahz
    out[:, 1] = some.stime / some.ahz
    out[:, 2] = some.etime / some.ahz
    out[:, 3] = some.mem / page_kib
    out[:, 4] = some.io / some.ahz
    out[:, 5], out[:, 6], out[:, 7] = some.minflt, some.majflt, some.swaps
    out[:, _CALLS] = 1
    return out


def command_keys(some: Processes) -> npt.NDArray[np.bytes_]:
    """Keys of commands: the name, and a byte that is 1 where the process forked and never called exec."""
    names = c_texts(some.comm)
    matrix = np.zeros((len(some), COMMAND_BYTES + 8), dtype=np.uint8)
    matrix[:, : names.dtype.itemsize] = names.view(np.uint8).reshape(len(some), -1)
    matrix[:, COMMAND_BYTES] = some.flag & FORKED
    return matrix.reshape(-1).view(f"S{COMMAND_BYTES + 8}")


def key_of(name: bytes, forked: bool) -> bytes:
    """The key of a command."""
    return name[:COMMAND_BYTES].ljust(COMMAND_BYTES, b"\0") + b"\1" if forked else name[:COMMAND_BYTES]


def is_forked(key: bytes) -> bool:
    """Whether a key is of a command that forked and never called exec."""
    return key[COMMAND_BYTES : COMMAND_BYTES + 1] == b"\1"


def distinct(keys: npt.NDArray[np.bytes_]) -> tuple[npt.NDArray[np.bytes_], npt.NDArray[np.int64]]:
    """The distinct keys of three words in the order in which they come first, and which of them each is."""
    words = keys.view(np.uint64).reshape(len(keys), 3)
    mixed = ((words ^ (words >> np.uint64(29))) * _FACTORS).sum(axis=1, dtype=np.uint64)
    _hashes, first, which = np.unique(mixed, return_index=True, return_inverse=True)
    if not np.array_equal(words, words[first][which]):  # two keys with the same hash
        _texts, first, which = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return keys[first[order]], place[which]
