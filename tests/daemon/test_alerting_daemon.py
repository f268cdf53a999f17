"""The daemon tells of what it finds in lines: by mail and POST, over kills, and not what was acknowledged."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from serving import PATIENCE_S, Daemon
from sinks import Mails, Posts, hanging_server, http_sink, smtp_sink

ROUTES = """
[alerts]
host = "mx.example.org"
[[alerts.routes]]
name = "mail"
via = "smtp"
recipients = ["pm@example.org"]
smtp_host = "127.0.0.1"
smtp_port = {smtp}
smtp_tls = "none"
detections = ["brute_force"]
[[alerts.routes]]
name = "hook"
via = "webhook"
url = "http://127.0.0.1:{http}/alerts"
detections = ["brute_force"]
[[alerts.routes]]
name = "hanging"
via = "webhook"
url = "http://127.0.0.1:{hanging}/"
timeout_s = 600
"""


def failures(user: str, address: str, count: int = 25) -> str:
    """Failed logins of the last minute."""
    begin = datetime.now(UTC) - timedelta(seconds=count + 5)
    return "".join(
        f"{begin + timedelta(seconds=number):%Y-%m-%dT%H:%M:%S+00:00} mx dovecot: imap-login: Disconnected "
        f"(auth failed, 1 attempts in 2 secs): user=<{user}>, method=PLAIN, rip={address}, lip=192.0.2.1, TLS, "
        f"session=<a{number}>\n"
        for number in range(count)
    )


def until(true: Callable[[], bool], daemon: Daemon) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, daemon.errors.read_text()[-2000:]
        time.sleep(0.3)


def told(posts: Posts) -> list[dict[str, Any]]:
    return [json.loads(body) for _, _, body in posts.taken]


def subjects(mails: Mails) -> list[str]:
    return [mail["Subject"] for _, _, mail in mails.taken]


@pytest.mark.slow
def test_what_is_found_is_told_over_kills_and_not_what_is_acknowledged(tmp_path: Path) -> None:
    with smtp_sink() as mails, http_sink() as posts, hanging_server() as hanging:
        routes = ROUTES.format(smtp=mails.port, http=posts.port, hanging=hanging)
        with Daemon(tmp_path, routes) as daemon:
            daemon.log.write_text("")
            daemon.start()
            daemon.wait_until_ready()
            with daemon.log.open("a") as log:
                log.write(failures("anna", "192.0.2.66"))
            until(lambda: len(mails.taken) >= 1 and len(posts.taken) >= 1, daemon)
            (subject,) = subjects(mails)
            assert subject.startswith("WARNING on mx.example.org: ")
            assert "failed logins of anna from 192.0.2.66" in subject
            (post,) = told(posts)
            assert post["data"]["detection"] == "brute_force"
            # A kill before that is noted would send them again, with the same ids.
            until(lambda: len(daemon.rows("select id from alerts where state = 'sent'")) == 2, daemon)
            # Lines are stored and found in while a route hangs; what was told is not told again after a kill.
            daemon.stop(signal.SIGKILL)
            with daemon.log.open("a") as log:
                log.write(failures("bob", "198.51.100.7"))
            daemon.start()
            until(lambda: len(mails.taken) >= 2 and len(posts.taken) >= 2, daemon)
            assert "failed logins of bob from 198.51.100.7" in subjects(mails)[1]
            identity = post["data"]["id"]
            done = daemon.ask("findings", "ack", identity[:8], "--why", "blocked")
            assert done.returncode == 0, done.stderr
            listed = daemon.ask("alert", "list").stdout
            assert f"[{identity}] sent " in listed
            assert "hanging" in listed
            shown = daemon.ask("alert", "show", identity[:8], "--route", "mail").stdout
            assert shown.startswith(subject.split(": ")[0])
            assert f"$ mailscope findings ack {identity}" in shown
            # In a silence nothing is told, whatever is found.
            silent = daemon.ask("alert", "silence", "--until", "+1hour", "--why", "upgrade")
            assert silent.returncode == 0, silent.stderr
            with daemon.log.open("a") as log:
                log.write(failures("carl", "203.0.113.9"))
            until(lambda: len(daemon.rows("select id from findings where title like '%carl%'")) == 1, daemon)
            time.sleep(5)
            assert len(mails.taken) == 2, subjects(mails)
            assert daemon.ask("alert", "silence", "--end").returncode == 0
            until(lambda: len(mails.taken) >= 3, daemon)
            assert "carl" in subjects(mails)[2]
            assert daemon.stop() == 0
        assert len({mail["Message-ID"] for _, _, mail in mails.taken}) == len(mails.taken) == 3


def test_a_test_of_every_route_says_what_happened(tmp_path: Path) -> None:
    with smtp_sink() as mails, http_sink(500) as posts, hanging_server() as hanging:
        routes = ROUTES.format(smtp=mails.port, http=posts.port, hanging=hanging)
        daemon = Daemon(tmp_path, routes.replace("timeout_s = 600", "timeout_s = 1"))
        done = daemon.ask("alert", "test")
        lines = done.stdout.splitlines()
        assert done.returncode == 1, done.stderr
        assert lines[0].startswith(f"mail: taken by 127.0.0.1:{mails.port} (")
        assert lines[1] == (
            f"hook: NOT TAKEN: http://127.0.0.1:{posts.port}: it answered 500 Internal Server Error"
        )
        assert lines[2] == f"hanging: NOT TAKEN: http://127.0.0.1:{hanging}: no answer: timed out"
        assert subjects(mails) == ["mx.example.org: a test of the route mail"]
        assert daemon.ask("alert", "test", "mail").returncode == 0
        wrong = daemon.ask("alert", "test", "post")
        assert wrong.returncode == 2
        assert "there is no route 'post'; there are mail, hook, hanging" in wrong.stderr
