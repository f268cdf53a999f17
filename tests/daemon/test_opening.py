"""A store that somebody has when the daemon begins."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from serving import Daemon

from mailscope.daemon.opening import opened
from mailscope.store.database import Database
from mailscope.store.refusals import InUseError

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


def test_a_daemon_with_nothing_to_follow_says_so(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        daemon.config.write_text(daemon.config.read_text().replace(f'files = ["{daemon.log}"]', "files = []"))
        daemon.start()
        daemon.wait_for_words("answering on")
        daemon.wait_for_words("nothing is followed and nothing listens: ")
        assert "PROBLEM: nothing is followed" in daemon.ask("store", "status").stdout
        assert daemon.stop() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a directory to another user")
def test_root_leaves_nothing_in_the_store_of_another_user(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        daemon.store.mkdir()
        shutil.chown(daemon.store, "nobody")
        for command in (("serve",), ("ingest", str(daemon.config))):
            refused = daemon.ask(*command)
            assert refused.returncode == 1, refused.stderr
            assert "it belongs to nobody" in refused.stderr
            assert "runuser -u nobody" in refused.stderr
        assert list(daemon.store.iterdir()) == []
