"""Records of logins and processes: `mailscope host last` and `sa` beside util-linux' last and GNU acct's sa.

    python benchmarks/records.py --records 5000000

Writes a wtmp and a file of process accounting (version 3) of so many records, runs each program on them, in
turn, and tells wall time, processor time and the greatest memory of each.  A program that is not installed
(Debian: util-linux, acct) is left out.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from measure import Command, run

NOW = 1_795_319_755
AT_ONCE = 1 << 18
USERS, TTYS, COMMANDS = 300, 200, 80
WTMP = np.dtype(
    [
        ("type", "<i2"), ("padding", "<u2"), ("pid", "<i4"), ("line", "S32"), ("id", "S4"), ("user", "S32"),
        ("host", "S256"), ("termination", "<i2"), ("exit", "<i2"), ("session", "<i4"), ("seconds", "<u4"),
        ("microseconds", "<i4"), ("address", "S16"), ("unused", "S20"),
    ]
)  # fmt: skip
PACCT = np.dtype(
    [
        ("flag", "u1"), ("version", "u1"), ("tty", "<u2"), ("exitcode", "<u4"), ("uid", "<u4"),
        ("gid", "<u4"),
        ("pid", "<u4"), ("ppid", "<u4"), ("btime", "<u4"), ("etime", "<f4"), ("costs", "<u2", 8),
        ("comm", "S16"),
    ]
)  # fmt: skip
LOGIN, LOGOUT = 7, 8


def write_wtmp(path: Path, count: int) -> None:
    """Logins and their ends, in turn on each line, a second apart."""
    with path.open("wb") as file:
        for start in range(0, count, AT_ONCE):
            number = np.arange(start, min(start + AT_ONCE, count))
            rows = np.zeros(len(number), WTMP)
            tty, turn = number % TTYS, number // TTYS
            begins = turn % 2 == 0
            user = (number // (2 * TTYS) * 7 + tty) % USERS
            rows["type"] = np.where(begins, LOGIN, LOGOUT)
            rows["pid"] = 1000 + tty
            rows["line"] = np.char.add("pts/", tty.astype("U6")).astype("S32")
            rows["id"] = np.char.add("t", (tty % 1000).astype("U6")).astype("S4")
            name = np.char.add("user", user.astype("U6")).astype("S32")
            rows["user"] = np.where(begins, name, b"")
            rows["host"] = np.where(
                begins, np.char.add("192.0.2.", (user % 250).astype("U6")).astype("S256"), b""
            )
            rows["seconds"] = NOW - count + number
            file.write(rows.tobytes())


def write_pacct(path: Path, count: int) -> None:
    """Processes of some commands and users."""
    draw = np.random.default_rng(7)
    names = np.array([f"command{number}" for number in range(COMMANDS)], "S16")
    with path.open("wb") as file:
        for start in range(0, count, AT_ONCE):
            size = min(AT_ONCE, count - start)
            rows = np.zeros(size, PACCT)
            rows["version"] = 3
            rows["flag"] = draw.integers(0, 3, size)
            rows["uid"] = draw.integers(1000, 1000 + USERS, size)
            rows["pid"] = draw.integers(2, 32_000, size)
            rows["btime"] = NOW - count + start + np.arange(size)
            rows["etime"] = draw.integers(0, 10_000, size)
            rows["costs"] = draw.integers(0, 8_000, (size, 8))
            rows["comm"] = names[draw.integers(0, COMMANDS, size)]
            file.write(rows.tobytes())


def main() -> None:
    """Make the records, run the programs, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=5_000_000)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--write", type=Path, metavar="DIR", help="only write the records")
    asked = parser.parse_args()
    if asked.write is not None:
        write_wtmp(asked.write / "wtmp", asked.records)
        write_pacct(asked.write / "pacct", asked.records)
        return
    ours = [sys.executable, "-m", "mailscope", "host"]
    told: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="records-") as place:
        wtmp, pacct = Path(place) / "wtmp", Path(place) / "pacct"
        # By another process: a command begins as a copy of this one, and inherits its peak of memory.
        making = [sys.executable, __file__, "--records", str(asked.records), "--write", place]
        subprocess.run(making, check=True)
        programs = {
            "mailscope host last": [*ours, "last", "--file", str(wtmp)],
            "last": ["last", "-f", str(wtmp)],
            "mailscope host sa": [*ours, "sa", "--file", str(pacct)],
            "sa": ["sa", str(pacct)],
            "mailscope host sa -m": [*ours, "sa", "-m", "--file", str(pacct)],
            "sa -m": ["sa", "-m", str(pacct)],
        }
        for name, words in programs.items():
            if shutil.which(words[0]) is None and not Path(words[0]).exists():
                continue
            found = run(Command(words))
            told[name] = {"wall_s": found.wall_s, "cpu_s": found.cpu_s, "memory_mb": found.peak_mb}
            print(
                f"{name:22}{found.wall_s:8.2f} s {found.cpu_s:8.2f} s CPU {found.peak_mb:7.0f} MB", flush=True
            )
    if asked.json is not None:
        asked.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
