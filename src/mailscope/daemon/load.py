"""The host's load, sampled beside the mail figures, so that one explains the other.

In: what the kernel tells (psutil, statvfs(3)).  Out: one row of ``host_load`` for each sample, one row of
``host_disks`` for each file system.  Shares and rates are of the time since the sample before, so the
first one has none.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl
import psutil

from mailscope.vocabulary.tables import HOST_DISKS, HOST_LOAD, Table


class LoadSampler:
    """Processor, memory, disk traffic and load average; ``now`` is naive UTC, as everywhere."""

    def __init__(self, host: str, interval_s: float = 10) -> None:
        self._host = host
        self._every = timedelta(seconds=interval_s)
        self._next: datetime | None = None
        self._before: tuple[Any, Any, datetime] | None = None
        self.problems: tuple[str, ...] = ()

    def sample(self, now: datetime) -> pl.DataFrame | None:
        """One row, if it is time for one."""
        if self._next is not None and now < self._next:
            return None
        self._next = now + self._every
        cpu, disks = psutil.cpu_times(), psutil.disk_io_counters()
        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        one, five, fifteen = os.getloadavg()
        row: dict[str, Any] = {
            "time": now,
            "host": self._host,
            "load_1": one,
            "load_5": five,
            "load_15": fifteen,
            "cpu_count": os.cpu_count(),
            "memory_bytes": memory.total,
            "memory_available_bytes": memory.available,
            "swap_bytes": swap.total,
            "swap_used_bytes": swap.used,
        }
        if self._before is not None:
            row |= _since(self._before, cpu, disks, now)
        self._before = cpu, disks, now
        return _frame(HOST_LOAD, [row])


class SpaceSampler:
    """Space and inodes of the file systems that some paths are on, each file system once.

    ``problems``: the paths that could not be asked, as one line each.
    """

    def __init__(self, host: str, paths: Sequence[str], interval_s: float = 10) -> None:
        self._host = host
        self._paths = tuple(paths)
        self._every = timedelta(seconds=interval_s)
        self._next: datetime | None = None
        self.problems: tuple[str, ...] = ()

    def sample(self, now: datetime) -> pl.DataFrame | None:
        """One row for each file system, if it is time."""
        if self._next is not None and now < self._next:
            return None
        self._next = now + self._every
        rows: dict[int, dict[str, Any]] = {}
        problems = []
        for path in self._paths:
            try:
                device, found = os.stat(path).st_dev, os.statvfs(path)
            except OSError as error:
                problems.append(f"{path}: {error.strerror}")
                continue
            row = {
                "time": now,
                "host": self._host,
                "path": path,
                "size_bytes": found.f_blocks * found.f_frsize,
                # What programs without privilege can use.
                "free_bytes": found.f_bavail * found.f_frsize,
                "inodes": found.f_files,
                "free_inodes": found.f_favail,
            }
            rows.setdefault(device, row)
        self.problems = tuple(problems)
        return _frame(HOST_DISKS, list(rows.values())) if rows else None


DTYPES: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "str": pl.String, "int": pl.Int64, "float": pl.Float64, "time": pl.Datetime("us"), "bool": pl.Boolean
}  # fmt: skip


def _since(before: tuple[Any, Any, datetime], cpu: Any, disks: Any, now: datetime) -> dict[str, Any]:
    """Shares of processor time, and disk traffic, since the sample before."""
    cpu_before, disks_before, then = before
    spent = {name: max(0.0, getattr(cpu, name) - getattr(cpu_before, name)) for name in cpu._fields}
    # Linux counts guests within user and nice already.
    total = sum(seconds for name, seconds in spent.items() if not name.startswith("guest"))
    row: dict[str, Any] = {}
    if total > 0:
        waiting = spent.get("iowait", 0.0)
        row["cpu_busy_percent"] = round(100 * (total - spent["idle"] - waiting) / total, 2)
        row["cpu_waiting_percent"] = round(100 * waiting / total, 2)
    seconds = (now - then).total_seconds()
    if disks is not None and disks_before is not None and seconds > 0:
        row["disk_read_bytes_per_s"] = max(0, disks.read_bytes - disks_before.read_bytes) / seconds
        row["disk_written_bytes_per_s"] = max(0, disks.write_bytes - disks_before.write_bytes) / seconds
    return row


def _frame(table: Table, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows of a table, null where they say nothing."""
    schema = {column.name: DTYPES[column.kind] for column in table.columns}
    return pl.DataFrame([[row.get(name) for name in schema] for row in rows], schema=schema, orient="row")
