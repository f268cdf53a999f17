"""``mailscope logins``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

LOG = """\
Nov 22 03:50:02 mx1 dovecot: imap-login: Login: user=<erin>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.25, mpid=2, TLS, session=<b>
Nov 22 03:51:01 mx1 postfix/smtpd[10]: warning: unknown[192.0.2.67]: SASL LOGIN authentication failed: UGFzc3dvcmQ6
"""


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mailscope", *words], text=True, capture_output=True, check=False
    )


def test_text_json_and_sections(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text(LOG)
    ran = run("logins", "--tz", "UTC", "--lang", "en", str(log))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("Report of logins  Sun ")
    assert "Mail report" not in ran.stdout
    told = json.loads(run("logins", "--format", "json", "--section", "logins_by_user", str(log)).stdout)
    assert told["sums"]["succeeded"] == told["sums"]["failed"] == 1
    assert "logins" not in told
    evidence = told["logins_by_user"]["evidence"].split()
    assert run(*evidence[1:]).stdout == LOG.splitlines(keepends=True)[0]


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    ran = run("logins", str(tmp_path / "none.log"))
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.endswith("none.log: no such file; check the name\n")
    log = tmp_path / "mail.log"
    log.write_text(LOG)
    ran = run("logins", "--section", "nonsense", str(log))
    assert ran.returncode == 2
    assert "there is no section 'nonsense'" in ran.stderr
