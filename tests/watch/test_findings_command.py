"""Findings asked of a store, directly and through the daemon: the same words, and what is done is noted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from serving import Daemon
from storing import Feeder, arrivals
from test_detections import DATA
from test_kept_findings import LOG, watching

ATTACK = (DATA / "brute_force" / "fires.log").read_bytes()


def mailscope(*arguments: str, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mailscope", *arguments], capture_output=True, text=True,
        env={**(environment or os.environ), "LC_ALL": "C.UTF-8"}, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def store(tmp_path: Path) -> Path:
    feeder = Feeder(tmp_path / "store", watching())
    for arrival in arrivals(LOG, [len(LOG) // 2]):
        feeder.feed(arrival)
    feeder.close()
    return tmp_path / "store"


def test_what_was_found_is_listed_shown_and_handled(store: Path) -> None:
    at = ("--store", str(store))
    listed = [
        json.loads(line)
        for line in mailscope("findings", "list", "--state", "all", "--format", "json", *at).splitlines()
    ]
    assert {each["detection"] for each in listed} == {
        "brute_force",
        "password_spraying",
        "distributed_guessing",
    }
    (attack,) = [each for each in listed if each["detection"] == "brute_force"]
    assert attack["subject"] == {"user": "anna@example.org", "client_ip": "203.0.113.9"}
    name = attack["id"][:8]
    mailscope("findings", "ack", name, "--why", "blocked it", *at)
    mailscope("findings", "mute", name, "--until", "2036-01-02 08:00", *at)
    shown = mailscope("findings", "show", name, "--tz", "UTC", *at)
    for words in (
        # In the last ten minutes of it, one of them the sprayer's beside it in the same network.
        "WARNING 47 failed logins of anna@example.org from 203.0.113.0/24",
        "acknowledged by",
        "muted until 2036-01-02 08:00:00",
        "$ mailscope about 203.0.113.9",
        "acknowledged: blocked it",
        "| Mar  3 09:00:00 mx postfix/smtpd[4711]: warning: unknown[203.0.113.9]",
    ):
        assert words in shown, shown
    told = mailscope("findings", "show", name, "--tz", "UTC", "--lang", "it", *at)
    for words in (
        "AVVISO 47 accessi falliti di anna@example.org da 203.0.113.0/24 in ",
        "preso in carico da ",
        "silenziato fino al 2036-01-02 08:00:00",
        "Falsi positivi: Un telefono ",
        "Che fare: ",
        "preso in carico: blocked it",
        "  fallimenti: ",
        "$ mailscope about 203.0.113.9",
    ):
        assert words in told, told
    english, chinese = (
        mailscope("findings", "show", name, "--format", "json", "--lang", language, *at)
        for language in ("en", "zh")
    )
    assert english == chinese
    mailscope("findings", "mute", name, *at)
    assert "\n  muted\n" in mailscope("findings", "show", name, "--tz", "UTC", *at)
    mailscope("findings", "unmute", name, *at)
    again = json.loads(mailscope("findings", "show", name, "--format", "json", *at))
    assert again["muted_until"] is None
    assert [each["action"] for each in again["handled"]] == ["acknowledged", "muted", "muted", "unmuted"]
    text = mailscope("findings", "list", "--state", "all", "--detection", "password_spraying", *at)
    assert text.splitlines()[-1] == "1 finding"
    text = mailscope(
        "findings", "list", "--detection", "password_spraying", "--state", "all", "--lang", "zh", *at
    )
    assert text.splitlines()[-1] == "1 个发现"


def test_the_daemon_finds_and_answers(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    # What is older than the retention time would go at once.
    yesterday = datetime.now(UTC) - timedelta(days=1)
    daemon.log.write_bytes(ATTACK.replace(b"Mar  3", f"{yesterday:%b} {yesterday.day:2}".encode()))
    daemon.start()
    try:
        daemon.wait_for(60)
        listed = mailscope("findings", "list", "--state", "all", environment=daemon.environment)
        assert "failed logins of anna@example.org from 203.0.113.9" in listed
        name = listed.split("[")[1][:16]
        mailscope("findings", "ack", name, environment=daemon.environment)
        shown = mailscope("findings", "show", name, environment=daemon.environment)
        assert "acknowledged by" in shown
    finally:
        assert daemon.stop() == 0
    # And the same without it.
    shown = mailscope("findings", "show", name, environment=daemon.environment)
    assert "acknowledged by" in shown
