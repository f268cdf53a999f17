"""Examples of the help are run, on a host of their own (``standin.py``): each must do what it says there.

One example of each command is run; those of ``ELSEWHERE`` need what that host has not (a person at a terminal, a
daemon, a finding, a token): tests of their own run these commands.  All examples are held against the command line
in tests/docs/test_site.py.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from commands import commands

HERE = Path(__file__).parent
ELSEWHERE = {
    "mailscope": "the example of report",
    "mailscope findings ack": "tests/watch/test_findings_command.py",
    "mailscope findings mute": "tests/watch/test_findings_command.py",
    "mailscope findings note": "tests/watch/test_findings_command.py",
    "mailscope findings show": "tests/watch/test_findings_command.py",
    "mailscope findings unmute": "tests/watch/test_findings_command.py",
    "mailscope check deliveries": "tests/watch/checks/test_checks_run.py",
    "mailscope check daemon": "tests/watch/checks/test_checks_run.py",
    "mailscope queue watch": "tests/queues/test_queue_commands.py",
    "mailscope alert show": "tests/watch/alerts",
    "mailscope alert silence": "tests/watch/alerts",
    "mailscope alert test": "tests/watch/alerts",
    "mailscope cluster": "tests/cluster",
    "mailscope cluster ingest": "tests/cluster/test_standalone.py",
    "mailscope cluster stream": "tests/cluster/test_jobs.py",
    "mailscope cluster compact": "tests/cluster/test_jobs.py",
    "mailscope cluster ship": "tests/cluster/test_parts.py",
    "mailscope cluster report": "tests/cluster/test_standalone.py",
    "mailscope cluster trace": "tests/cluster/test_standalone.py",
    "mailscope cluster about": "tests/cluster/test_standalone.py",
    "mailscope cluster sql": "tests/cluster/test_standalone.py",
    "mailscope serve": "tests/packaging/test_distributions.py",
    "mailscope tail": "tests/daemon",
    "mailscope people revoke": "tests/web",
    "mailscope people token": "tests/web",
    "mailscope privacy verify-receipt": "tests/cli/test_privacy.py",
    "mailscope qmailanalog mlmatchup": "tests/cli/test_qmailanalog.py",
    "mailscope syslog": "the example of syslog multilog",
    "mailscope syslog serve": "tests/syslog",
    "mailscope syslog splogger": "tests/syslog",
    "mailscope archive": "tests/syslog",
    "mailscope archive export": "tests/syslog",
    "mailscope archive store": "tests/syslog",
}
# Of commands with several examples, those that need more than is there.
NOT_HERE = {
    "mailscope dnsbl check",
    "mailscope queue hold 4jXFbq3XyNzCb7Y",
    "mailscope queue requeue 4jXFbq3XyNzCb7Y",
    "mailscope queue flush 4jXFbq3XyNzCb7Y",
    "mailscope queue expire 4jXFbq3XyNzCb7Y",
    "mailscope queue bounce 4jXFbq3XyNzCb7Y",
    "mailscope queue delete 4jXFbq3XyNzCb7Y",
    "mailscope queue restore --from /srv/deleted --sender '*@example.org'",
    "mailscope alert test",
    "mailscope alert show 8c5b099b",
}


def chosen() -> list[str]:
    """One example of each command, in the order of the commands."""
    lines = []
    for command in commands():
        if command.name not in ELSEWHERE:
            ours = [line for line in command.examples if command.name in line or "release" in line]
            lines.append(next(line for line in ours if line not in NOT_HERE and "test phone" not in line))
    return list(dict.fromkeys(lines))


LINES = chosen()


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    alone = ["unshare", "--mount", "--propagation", "private"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*alone, "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("no mount namespace can be made here: only root may")
    work = tmp_path_factory.mktemp("host")
    done = subprocess.run(
        [*alone, sys.executable, str(HERE / "standin.py"), str(work)],
        input=json.dumps([{"line": line} for line in LINES]), capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(HERE.parent)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(zip(LINES, json.loads(done.stdout), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("line", LINES)
def test_the_example_does_what_it_says(line: str, answers: dict[str, dict[str, Any]]) -> None:
    answer = answers[line]
    assert answer["code"] == 0, answer["err"]
    assert "Traceback" not in answer["err"]
