"""A log of twice the size takes no more memory: nothing of what was written is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINES = 60_000
# What allocators keep differs from run to run; the text of the second half alone would be 9 MB, its table 60 MB.
TOLERANCE_MB = 24
# Small chunks, so that a small log has many of them.  VmHWM (proc(5)) is the largest resident set of the program
# itself; that of getrusage(2) would count its parent's, too.
EXPORT = """
import re, sys
from mailscope.intake import reader
reader.CHUNK_BYTES = 1 << 20
from mailscope.cli.main import mailscope
mailscope(["events", *sys.argv[1:]], standalone_mode=False)
print(re.search(r"VmHWM: *\\t *([0-9]+) kB", open("/proc/self/status").read())[1])
"""


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A generated log, and its first half."""
    whole = tmp_path_factory.mktemp("generated") / "mail.log"
    command = [sys.executable, str(ROOT / "benchmarks" / "generate.py"), "--lines", str(2 * LINES)]
    subprocess.run([*command, "--seed", "5", "-o", str(whole)], check=True, capture_output=True)
    half = whole.with_name("half.log")
    half.write_bytes(b"".join(whole.read_bytes().splitlines(keepends=True)[:LINES]))
    return half, whole


def peak_mb(log: Path, form: str, output: Path) -> float:
    """The largest resident set of a run that exports a log, in MiB."""
    words = [sys.executable, "-c", EXPORT, "--tz", "UTC", "--format", form, "-o", str(output), str(log)]
    one_thread = {**os.environ, "MAILSCOPE_THREADS": "1", "POLARS_MAX_THREADS": "1"}
    done = subprocess.run(words, capture_output=True, check=True, env=one_thread)
    assert output.stat().st_size > 0
    return int(done.stdout) / 1024


@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
def test_twice_the_lines_take_no_more_memory(logs: tuple[Path, Path], form: str, tmp_path: Path) -> None:
    half, whole = logs
    once, twice = (peak_mb(log, form, tmp_path / "events") for log in (half, whole))
    if twice > once + TOLERANCE_MB:
        # What the allocator keeps differs by some megabytes from run to run; what grows with the log does not.
        twice = peak_mb(whole, form, tmp_path / "events")
    assert twice <= once + TOLERANCE_MB, f"{form}: {once:.0f} MB, then {twice:.0f} MB"
