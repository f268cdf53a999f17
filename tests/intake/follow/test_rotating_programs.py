"""Logs rotated by the real programs: logrotate in its ways, multilog."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest
from following import Daemon, Program

from mailscope.intake.follow.files import Followed

LOGROTATE = shutil.which("logrotate", path="/usr/sbin:/usr/bin")
MULTILOG = shutil.which("multilog")


@pytest.mark.skipif(LOGROTATE is None, reason="needs logrotate")
@pytest.mark.parametrize(
    "how",
    [
        "create",
        "create\ncompress",
        "create\ncompress\ndelaycompress",
        "nocreate",
        "copytruncate",
        "copytruncate\ncompress",
        "create\ndateext\ndateformat -%Y%m%d-%s\ncompress",
        "create\nolddir old",
        "create\nstart 0",
    ],
)
@pytest.mark.parametrize("downtime", [False, True])
def test_logrotate(tmp_path: Path, how: str, downtime: bool) -> None:
    log = tmp_path / "mail.log"
    (tmp_path / "old").mkdir()
    settings = tmp_path / "logrotate.conf"
    settings.write_text(f"{log} {{\nrotate 9\nsu root root\n{how}\n}}\n")
    settings.chmod(0o600)
    program = Program(log)
    program.write(20)
    daemon = Daemon(Followed(str(log), folders=(str(tmp_path / "old"),)))
    daemon.run()
    for _ in range(3):
        program.write(3)
        if downtime:
            daemon.kill()
        assert LOGROTATE is not None
        subprocess.run([LOGROTATE, "-f", "-s", str(tmp_path / "state"), str(settings)], check=True)
        if "copytruncate" not in how:
            program.reopen()
        program.write(2)
        if downtime:
            daemon.start()
        daemon.run()
        if "dateext" in how:
            time.sleep(1.0)
    assert daemon.lines() == program.written
    assert daemon.feed.problems() == []


@pytest.mark.skipif(MULTILOG is None, reason="needs multilog (daemontools)")
@pytest.mark.parametrize("script", [("s4096", "n100"), ("s4096", "n100", "!gzip -c")])
def test_multilog(tmp_path: Path, script: tuple[str, ...]) -> None:
    """A few thousand lines through files of 4 KB, with the daemon killed now and then."""
    folder = tmp_path / "main"
    assert MULTILOG is not None
    process = subprocess.Popen([MULTILOG, "t", *script, str(folder)], stdin=subprocess.PIPE)
    assert process.stdin is not None
    daemon = Daemon(Followed(str(folder), start="oldest"))
    lines = [b"delivery %d: success: did_0+0+1/" % number for number in range(2000)]
    for number in range(0, len(lines), 25):
        process.stdin.write(b"".join(line + b"\n" for line in lines[number : number + 25]))
        process.stdin.flush()
        if number % 300 == 0:
            daemon.take()
            daemon.restart()
        elif number % 50 == 0:
            daemon.run(1)
    process.stdin.close()
    assert process.wait(timeout=20) == 0
    daemon.settle()
    assert [line.split(b" ", 1)[1] for line in daemon.lines()] == lines
    assert {arrival.source for arrival in daemon.stored} == {f"{folder}/current"}
    assert daemon.feed.problems() == []
