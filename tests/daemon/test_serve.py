"""The daemon as users run it: started, killed, asked, stopped."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from serving import Daemon

KILLS = int(os.environ.get("MAILSCOPE_SOAK", "20"))


def made_lines(count: int, seed: int = 1) -> list[str]:
    """Lines of messages of the last hour, each line once."""
    begin = datetime.now(UTC) - timedelta(hours=1)
    lines = []
    for number in range(count // 5):
        at = (begin + timedelta(milliseconds=700 * number)).isoformat(timespec="microseconds")
        queue_id = f"{seed:X}{number:09X}"
        lines += [
            f"{at} mx postfix/smtpd[{900 + number % 7}]: {queue_id}: client=host.example.org[192.0.2.{number % 250}]",
            f"{at} mx postfix/cleanup[31]: {queue_id}: message-id=<{number}.{seed}@example.org>",
            f"{at} mx postfix/qmgr[7]: {queue_id}: from=<a{number}@example.org>, size=912, nrcpt=1 (queue active)",
            f"{at} mx postfix/smtp[44]: {queue_id}: to=<b@example.net>, relay=mx.example.net[198.51.100.2]:25, "
            "delay=0.5, delays=0.1/0/0.2/0.2, dsn=2.0.0, status=sent (250 2.0.0 Ok)",
            f"{at} mx postfix/qmgr[7]: {queue_id}: removed",
        ]
    return lines


def append(path: Path, lines: list[str]) -> None:
    with path.open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))


def rotate(log: Path) -> None:
    for number in range(9, 0, -1):
        old = log.with_name(f"{log.name}.{number}")
        if old.exists():
            old.rename(log.with_name(f"{log.name}.{number + 1}"))
    log.rename(log.with_name(f"{log.name}.1"))


def test_killed_at_any_moment_nothing_is_lost_and_nothing_comes_twice(tmp_path: Path) -> None:
    """Kills under load with rotation; MAILSCOPE_SOAK says how many (``make soak``: 200)."""
    draw = random.Random(7)
    lines = made_lines(500 * (KILLS + 2))
    at = 0
    with Daemon(tmp_path) as daemon:
        append(daemon.log, lines[:500])
        at = 500
        daemon.start()
        daemon.wait_for(500)
        kills = 0
        while at < len(lines) or kills < KILLS:
            if at < len(lines):
                size = draw.randrange(20, 260)
                append(daemon.log, lines[at : at + size])
                at += size
            time.sleep(draw.uniform(0.02, 0.25))
            if draw.random() < 0.05:
                rotate(daemon.log)
            if kills < KILLS and draw.random() < 0.4:
                daemon.stop(signal.SIGKILL)
                daemon.start()
                kills += 1
                # Sometimes it comes so far as to read, sometimes it does not.
                time.sleep(draw.choice((0.0, 0.4, 1.5, 3.0)))
        daemon.wait_for(len(lines))
        assert daemon.stop() == 0
        stored = Counter(row["raw"] for row in daemon.rows("select raw from events"))
        assert stored == Counter(lines)
        # What was under way survived as well: every message is whole.
        told = daemon.rows(
            "select count(*) as messages, count(ended) as ended, count(sender) as senders, "
            "count(message_id) as ids from messages"
        )
        count = len(lines) // 5
        assert told == [{"messages": count, "ended": count, "senders": count, "ids": count}]
        assert daemon.rows("select count(*) as n from deliveries")[0]["n"] == count
        report = daemon.ask("report", "--format", "json")
        assert f'"read": {len(lines)}' in report.stdout


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> object:
    with Daemon(tmp_path_factory.mktemp("running")) as daemon:
        append(daemon.log, made_lines(50))
        daemon.start()
        daemon.wait_for(50)
        yield daemon
        daemon.stop()


def test_commands_go_through_the_daemon_while_it_runs(running: Daemon) -> None:
    told = running.ask("trace", "a3@example.org", "--format", "json")
    assert '"queue_id": "1000000003"' in told.stdout
    assert "read 50" not in told.stderr
    assert "b@example.net" in running.ask("report").stdout
    assert "192.0.2.3" in running.ask("about", "192.0.2.3").stdout
    assert running.ask("coverage").stdout.startswith("50 lines")
    refused = running.ask("sql", "drop table hot.events")
    assert refused.returncode == 2
    assert "only SELECT" in refused.stderr


def test_the_status_says_how_it_is(running: Daemon) -> None:
    told = running.ask("store", "status")
    assert told.returncode == 0
    assert str(running.log) in told.stdout


def test_live_events_are_shown_as_they_are_stored(running: Daemon) -> None:
    watcher = running.popen("tail", "--event", "removed", "--limit", "2", "--format", "json")
    time.sleep(3)
    append(running.log, made_lines(15, seed=5))
    out, _ = watcher.communicate(timeout=60)
    told = [json.loads(line) for line in out.splitlines()]
    assert [row["event"] for row in told] == ["removed", "removed"]
    assert told[0]["queue_id"] == "5000000000"
    assert None not in told[0].values()
    running.wait_for(65)


def test_a_note_stands_on_the_time_line(running: Daemon) -> None:
    assert running.ask("mark", "moved to the new relay", "--details", "two hosts").returncode == 0
    (row,) = running.rows("select kind, title, details, author from marks")
    assert (row["kind"], row["title"], row["details"]) == ("note", "moved to the new relay", "two hosts")
    assert row["author"]
    assert running.ask("mark", "").returncode == 2


def test_questions_are_entered_in_the_audit_log(running: Daemon) -> None:
    running.ask("trace", "audited@example.org")
    entries = (running.store / "audit.jsonl").read_text()
    assert "audited@example.org" in entries


def test_the_api_documents_itself(running: Daemon) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as door:
        door.connect(str(running.place / "api.sock"))
        door.sendall(b"GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: door.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    paths = json.loads(body)["paths"]
    assert {"/healthz", "/v1/status", "/v1/lines", "/v1/sql", "/v1/tallies", "/v1/marks", "/v1/tail"} == set(
        paths
    )
    assert (running.place / "api.sock").stat().st_mode & 0o777 == 0o660


def test_only_one_may_write(running: Daemon) -> None:
    second = running.ask("ingest", str(running.log))
    assert second.returncode == 1
    assert "another process has it open" in second.stderr


def test_settings_are_read_again_and_wrong_ones_leave_all_as_it_was(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        append(daemon.log, made_lines(10))
        daemon.start()
        daemon.wait_for(10)
        good = daemon.config.read_text()
        other = tmp_path / "other.log"
        append(other, made_lines(20, seed=2))
        daemon.config.write_text(good.replace("batch_interval_s = 0.2", "batch_interval_s = -3"))
        daemon.send(signal.SIGHUP)
        daemon.wait_for_words("the settings stay as they were")
        # Commands read the same file.
        daemon.config.write_text(good)
        append(daemon.log, made_lines(30)[10:])
        daemon.wait_for(30)
        daemon.config.write_text(good.replace('files = ["', f'files = ["{other}", "'))
        daemon.send(signal.SIGHUP)
        daemon.wait_for(50)
        assert daemon.stop() == 0
        assert daemon.count() == 50


def test_secrets_do_not_reach_the_store(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        append(
            daemon.log,
            [f"{at} mx postfix/smtpd[3]: < unknown[192.0.2.9]: AUTH PLAIN AGFsaWNlAHNlY3JldA=="],
        )
        daemon.start()
        daemon.wait_for(1)
        daemon.stop()
        for path in daemon.store.rglob("*"):
            if path.is_file():
                assert b"AGFsaWNlAHNlY3JldA" not in path.read_bytes(), path
