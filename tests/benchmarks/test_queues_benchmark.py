"""The benchmark of queues runs, its spool is one of Postfix, and our figures beside qshape's are told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from mta import require_postfix

QUEUES = Path(__file__).parents[2] / "benchmarks" / "queues.py"
MEMORY_BYTES = 300e6


def test_a_small_run(tmp_path: Path) -> None:
    require_postfix()
    told = tmp_path / "told.json"
    subprocess.run(
        [sys.executable, str(QUEUES), "--messages", "2000", "--runs", "1", "--json", str(told)],
        check=True,
        capture_output=True,
    )
    found = json.loads(told.read_text())
    assert found.keys() == {"list", "list as postqueue", "shape", "qshape"}
    assert all(each["memory_bytes"] < MEMORY_BYTES for each in found.values())


def test_its_messages_are_what_postfix_reads(tmp_path: Path) -> None:
    """The real qshape and ours count every message of the generated spool, alike."""
    require_postfix()
    made = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import queues; "
        "queues.spool(Path(sys.argv[2]), 300)"
    )
    subprocess.run([sys.executable, "-c", made, str(QUEUES.parent), str(tmp_path / "spool")], check=True)
    theirs = subprocess.run(
        ["qshape", "-s", str(tmp_path / "spool" / "deferred")], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    ours = subprocess.run(
        [sys.executable, "-m", "mailscope", "queue", "shape", "-s", "--spool", str(tmp_path / "spool"), "deferred"],
        capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    assert theirs[1].split()[:2] == ["TOTAL", "300"]
    # All are older than the last column but one begins; the sender's domain is one.
    assert [line.split()[:2] for line in ours] == [line.split()[:2] for line in theirs]
