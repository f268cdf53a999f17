"""Samples of the host's load, held against what the kernel says."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from mailscope.daemon.load import LoadSampler, SpaceSampler
from mailscope.vocabulary.tables import HOST_DISKS, HOST_LOAD

NOW = datetime(2026, 11, 22, 4, 0, 42)


def test_a_row_when_it_is_time() -> None:
    sampler = LoadSampler("mail", 10)
    first = sampler.sample(NOW)
    assert first is not None
    assert tuple(first.columns) == HOST_LOAD.names
    assert first["cpu_busy_percent"][0] is None
    assert sampler.sample(NOW + timedelta(seconds=9.9)) is None
    spent = sum(number * number for number in range(2_000_000))
    assert spent
    second = sampler.sample(NOW + timedelta(seconds=10))
    assert second is not None
    row = second.row(0, named=True)
    assert 0 < row["cpu_busy_percent"] + row["cpu_waiting_percent"] <= 100
    total = next(
        line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal")
    )
    assert row["memory_bytes"] == int(total.split()[1]) * 1024
    assert 0 < row["memory_available_bytes"] <= row["memory_bytes"]
    assert row["cpu_count"] == os.cpu_count()
    assert row["disk_written_bytes_per_s"] is None or row["disk_written_bytes_per_s"] >= 0
    assert (row["time"], row["host"]) == (NOW + timedelta(seconds=10), "mail")


def test_space_of_each_file_system_once(tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    sampler = SpaceSampler("mail", [str(tmp_path), str(tmp_path.parent), missing])
    found = sampler.sample(NOW)
    assert found is not None
    assert tuple(found.columns) == HOST_DISKS.names
    assert found["path"].to_list() == [str(tmp_path)]
    space = os.statvfs(tmp_path)
    assert found["size_bytes"][0] == space.f_blocks * space.f_frsize
    assert 0 <= found["free_bytes"][0] <= found["size_bytes"][0]
    assert sampler.problems == (f"{missing}: No such file or directory",)
    assert SpaceSampler("mail", [missing]).sample(NOW) is None
