"""The daemon as users run it: started, killed, asked, stopped."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import threading
import time
import zipfile
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from serving import Daemon, append, made_lines, message_lines

KILLS = int(os.environ.get("MAILSCOPE_SOAK", "20"))
# Lines a second while it is killed.
RATE = 2_000


def rotate(log: Path) -> None:
    """As logrotate does, but no file is ever removed: one that is killed all the time comes late to some."""
    for number in range(len(list(log.parent.glob(f"{log.name}.*"))), 0, -1):
        log.with_name(f"{log.name}.{number}").rename(log.with_name(f"{log.name}.{number + 1}"))
    log.rename(log.with_name(f"{log.name}.1"))


class Load(threading.Thread):
    """A mail server's log: 2,000 lines a second, written in pieces cut anywhere, rotated now and then."""

    def __init__(self, log: Path, draw: random.Random) -> None:
        super().__init__(daemon=True)
        self.log, self.draw = log, draw
        self.lines: list[str] = []
        self.over = threading.Event()

    def run(self) -> None:
        begun = rotated = time.monotonic()
        pending = b""
        # A message goes on over pieces: what was begun is finished before the end.
        while not self.over.is_set() or pending:
            if not self.over.is_set():
                owed = int((time.monotonic() - begun) * RATE) - len(self.lines)
                new = message_lines(owed // 5, len(self.lines) // 5)
                self.lines += new
                pending += "".join(f"{line}\n" for line in new).encode()
            whole = self.over.is_set() or time.monotonic() - rotated > 4
            cut = len(pending) if whole else self.draw.randrange(len(pending) + 1)
            with self.log.open("ab") as file:
                file.write(pending[:cut])
            pending = pending[cut:]
            if whole and not self.over.is_set():
                rotate(self.log)
                rotated = time.monotonic() + self.draw.uniform(-3, 0)
            time.sleep(self.draw.uniform(0.005, 0.08))

    def stop(self) -> None:
        self.over.set()
        self.join()


def test_killed_at_any_moment_nothing_is_lost_and_nothing_comes_twice(tmp_path: Path) -> None:
    """Kills under load with rotation; MAILSCOPE_SOAK says how many (``make soak``: 200)."""
    draw = random.Random(7)
    with Daemon(tmp_path) as daemon:
        load = Load(daemon.log, random.Random(8))
        daemon.start()
        # Of a log that was rotated before it first came, it would read the current file only.
        daemon.wait_until_ready()
        load.start()
        for kill in range(KILLS):
            # Mostly it comes so far as to store lines, sometimes it is not even ready.
            if kill % 4:
                daemon.wait_until_ready()
            time.sleep(draw.uniform(0, 1.5))
            daemon.stop(signal.SIGKILL)
            daemon.start()
        load.stop()
        daemon.wait_for(len(load.lines))
        assert daemon.stop() == 0
        stored = tmp_path / "stored.parquet"
        assert daemon.ask("sql", "-o", str(stored), "select raw from events").returncode == 0
        assert Counter(pl.read_parquet(stored)["raw"]) == Counter(load.lines)
        # What was under way survived as well: every message is whole.
        told = daemon.rows(
            "select count(*) as messages, count(ended) as ended, count(sender) as senders, "
            "count(message_id) as ids from messages"
        )
        count = len(load.lines) // 5
        assert told == [{"messages": count, "ended": count, "senders": count, "ids": count}]
        assert daemon.rows("select count(*) as n from deliveries")[0]["n"] == count
        report = daemon.ask("report", "--format", "json")
        assert f'"read": {len(load.lines)}' in report.stdout


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
    # Not whole hours: counted from lines, and asked again what is read.
    begun = datetime.now(UTC) - timedelta(hours=1, minutes=3, seconds=7)
    assert "b@example.net" in running.ask("report", "--since", begun.isoformat()).stdout
    refused = running.ask("sql", "drop table hot.events")
    assert refused.returncode == 2
    assert "only SELECT" in refused.stderr


def test_a_client_that_hangs_up_does_no_harm(running: Daemon) -> None:
    for _ in range(20):
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(running.place / "api.sock"))
        client.sendall(b"GET /v1/openapi.json HTTP/1.1\r\nHost: here\r\n\r\n" * 20)
        client.close()
    time.sleep(0.5)
    assert running.process is not None
    assert running.process.poll() is None
    assert running.count() == 50


def test_the_status_says_how_it_is(running: Daemon) -> None:
    told = running.ask("store", "status")
    assert told.returncode == 0
    assert str(running.log) in told.stdout
    assert "daemon: 50 lines since " in told.stdout
    assert "PROBLEM" not in told.stdout


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


def test_a_person_is_given_out_while_it_runs(running: Daemon, tmp_path: Path) -> None:
    done = running.ask("privacy", "export", "B@example.net", "-o", str(tmp_path / "b.zip"))
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "b.zip") as packed:
        lines = packed.read("lines.log").decode().splitlines()
    assert len(lines) == running.count("recipient = 'b@example.net'") > 0
    assert '"privacy export", "asked": "B@example.net"' in (running.store / "audit.jsonl").read_text()
    assert running.ask("privacy", "export", "a b@example.net").returncode == 2
    (tmp_path / "false.json").write_text('{"receipt": "x"}')
    told = running.ask("privacy", "verify-receipt", str(tmp_path / "false.json"))
    assert (told.returncode, "no receipt of this store" in told.stdout) == (1, True)


def test_the_api_documents_itself(running: Daemon) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as door:
        door.connect(str(running.place / "api.sock"))
        door.sendall(b"GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: door.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    paths = json.loads(body)["paths"]
    assert {
        "/healthz",
        "/v1/status",
        "/v1/lines",
        "/v1/person",
        "/v1/receipt",
        "/v1/sql",
        "/v1/tallies",
        "/v1/marks",
        "/v1/tail",
        "/v1/ingest",
        "/v1/erase",
        "/v1/store/seal",
        "/v1/store/compact",
        "/v1/store/verify",
        "/v1/store/backup",
        "/v1/report",
        "/v1/logins",
        "/v1/trace",
        "/v1/about",
        "/v1/coverage",
        "/metrics",
        "/v1/blocklist",
        "/v1/checks/{name}",
        "/v1/findings",
        "/v1/findings/{name}",
        "/v1/findings/{name}/handled",
        "/v1/silences",
    } == set(paths)
    assert (running.place / "api.sock").stat().st_mode & 0o777 == 0o660


def test_only_one_may_write(running: Daemon, tmp_path: Path) -> None:
    with Daemon(tmp_path) as second:
        second.config.write_text(second.config.read_text().replace(str(second.store), str(running.store)))
        second.start()
        assert second.process is not None
        assert second.process.wait(60) == 1
        assert "another process has it open" in second.errors.read_text()


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
