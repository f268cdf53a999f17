"""A store that somebody has when the daemon begins."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from serving import Daemon

from mailscope.daemon.opening import opened
from mailscope.store.database import Database, InUseError

HOLD = """
import sys
from pathlib import Path
from mailscope.store.database import Database
held = Database(Path(sys.argv[1]), read_only=sys.argv[2] == "read")
print("held", flush=True)
sys.stdin.readline()
"""


def holder(store: Path, how: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(store), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_command_that_reads_is_waited_for(tmp_path: Path) -> None:
    Database(tmp_path / "store").close()
    said: list[str] = []
    with holder(tmp_path / "store", "read") as process:

        def say(words: str) -> None:
            said.append(words)
            assert process.stdin is not None
            process.stdin.close()

        opened(tmp_path / "store", 160, say).close()
        assert len(said) == 1
        assert f"process {process.pid}: " in said[0]


def test_it_is_not_waited_for_without_end(tmp_path: Path) -> None:
    Database(tmp_path / "store").close()
    with holder(tmp_path / "store", "read") as process:
        with pytest.raises(InUseError, match=f"another process has it open .process {process.pid}: "):
            opened(tmp_path / "store", 160, lambda _: None, patience_s=0.3)
        process.kill()


def test_who_writes_it_is_told_at_once(tmp_path: Path) -> None:
    with holder(tmp_path / "store", "write") as process:
        with pytest.raises(InUseError, match=f"another process has it open .process {process.pid}: "):
            opened(tmp_path / "store", 160, pytest.fail)
        process.kill()


def test_the_socket_of_a_daemon_that_runs_is_left_to_it(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        daemon.start()
        daemon.wait_for_words("answering on")
        second = daemon.ask("serve")
        assert second.returncode == 1
        assert "another process has it open (process " in second.stderr
        assert "mailscope serve)" in second.stderr
        other = daemon.ask("serve", "--store", str(tmp_path / "other"))
        assert other.returncode == 1
        assert "another daemon answers on it" in other.stderr
        assert daemon.rows("select count(*) as n from events") == [{"n": 0}]
        assert daemon.stop() == 0
