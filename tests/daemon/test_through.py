"""What is done to the store while the daemon runs: the same as without it, and nobody sees the difference."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from serving import Daemon, append, made_lines, message_lines

from mailscope.store.remote import Remote


def old_lines(count: int, days: int, seed: int = 9) -> list[str]:
    """Lines of messages some days ago, one message each second."""
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(days=days)
    return [
        line
        for number in range(count // 5)
        for line in message_lines(1, number, seed, begin + timedelta(seconds=number))
    ]


def written(path: Path, lines: list[str]) -> Path:
    data = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def raws(daemon: Daemon) -> Counter[str]:
    return Counter(row["raw"] for row in daemon.rows("select raw from events"))


def alone(daemon: Daemon, store: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command with a store that no daemon has."""
    return daemon.ask(words[0], "--store", str(store), *words[1:])


def told(daemon: Daemon) -> list[dict[str, object]]:
    return daemon.rows(
        "select count(*) as messages, count(ended) as ended, count(sender) as senders, "
        "count(message_id) as ids from messages"
    )


def test_history_is_loaded_while_lines_come(tmp_path: Path) -> None:
    history = old_lines(6_000, 3)
    old = [
        written(tmp_path / "mail.log.2.gz", history[:4_000]),
        written(tmp_path / "mail.log.1", history[4_000:]),
    ]
    with Daemon(tmp_path) as daemon:
        live = made_lines(2_000, seed=2)
        append(daemon.log, live[:1_000])
        daemon.start()
        daemon.wait_for(1_000)
        loading = subprocess.Popen(
            [sys.executable, "-m", "mailscope", "ingest", *map(str, old)],
            env=daemon.environment, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        for start in range(1_000, 2_000, 50):
            append(daemon.log, live[start : start + 50])
            time.sleep(0.1)
        errors = loading.communicate()[1]
        assert loading.returncode == 0, errors
        daemon.wait_for(8_000)
        account = f"6,000 lines read, 6,000 stored in {daemon.store}, 0 known before, 0 blank\n"
        assert errors.endswith(account)
        again = daemon.ask("ingest", *map(str, old))
        assert again.stderr == errors.replace("6,000 stored", "0 stored").replace("0 known", "6,000 known")
        assert raws(daemon) == Counter(history + live)
        count = 8_000 // 5
        assert told(daemon) == [{"messages": count, "ended": count, "senders": count, "ids": count}]
        report = daemon.ask("report", "--format", "json")
        assert f'"read": {len(history) + len(live)}' in report.stdout
        assert daemon.stop() == 0
        # What it does without a daemon.
        other = tmp_path / "other"
        direct = alone(daemon, other, "ingest", *map(str, old), str(daemon.log))
        assert direct.returncode == 0
        alike = "select * exclude (batch) from events order by all"
        here, there = (
            daemon.ask("sql", "--format", "json", alike),
            alone(daemon, other, "sql", "--format", "json", alike),
        )
        assert here.stdout == there.stdout
        for table in ("messages", "deliveries"):
            kept = "select * exclude (trail_id) from messages order by all" if table == "messages" else (
                "select * exclude (trail_id, batch) from deliveries order by all"
            )  # fmt: skip
            assert daemon.ask("sql", "--format", "json", kept).stdout == alone(
                daemon, other, "sql", "--format", "json", kept
            ).stdout  # fmt: skip


def test_the_log_that_is_followed_is_not_stored_twice(tmp_path: Path) -> None:
    lines = made_lines(6_000)
    with Daemon(tmp_path) as daemon:
        append(daemon.log, lines[:2_000])
        daemon.start()
        daemon.wait_until_ready()
        for part in range(2_000, 6_000, 2_000):
            append(daemon.log, lines[part : part + 2_000])
            loaded = daemon.ask("ingest", str(daemon.log))
            assert loaded.returncode == 0, loaded.stderr
        daemon.wait_for(6_000)
        time.sleep(1)
        assert daemon.stop() == 0
        assert raws(daemon) == Counter(lines)


def test_killed_while_history_is_loaded(tmp_path: Path) -> None:
    history = old_lines(40_000, 5)
    old = written(tmp_path / "old.log", history)
    live = made_lines(500, seed=3)
    with Daemon(tmp_path) as daemon:
        append(daemon.log, live)
        command = [sys.executable, "-m", "mailscope", "ingest", str(old)]
        # First the daemon, then the command, each in the middle of it.
        for lines in (8_500, 20_000):
            daemon.start()
            daemon.wait_until_ready()
            loading = subprocess.Popen(command, env=daemon.environment, stderr=subprocess.PIPE, text=True)
            daemon.wait_for(lines)
            if lines == 8_500:
                daemon.stop(signal.SIGKILL)
                assert loading.wait(60) != 0
                assert loading.stderr is not None
                assert "the daemon broke off" in loading.stderr.read()
            else:
                loading.kill()
                loading.wait(60)
                assert daemon.ask("ingest", str(old)).returncode == 0
                assert daemon.stop() == 0
        assert raws(daemon) == Counter(history + live)
        count = (len(history) + len(live)) // 5
        assert daemon.rows("select count(*) as n from messages") == [{"n": count}]
        assert daemon.rows("select count(*) as n from deliveries") == [{"n": count}]


def test_secrets_of_history_do_not_reach_the_store(tmp_path: Path) -> None:
    at = (datetime.now(UTC) - timedelta(days=1)).isoformat(timespec="seconds")
    old = written(
        tmp_path / "old.log",
        [f"{at} mx postfix/smtpd[3]: < unknown[192.0.2.9]: AUTH PLAIN AGFsaWNlAHNlY3JldA=="],
    )
    with Daemon(tmp_path) as daemon:
        daemon.start()
        daemon.wait_until_ready()
        assert "1 stored" in daemon.ask("ingest", str(old)).stderr
        assert daemon.stop() == 0
        assert "1 stored" in alone(daemon, tmp_path / "other", "ingest", str(old)).stderr
        for path in (*daemon.store.rglob("*"), *(tmp_path / "other").rglob("*")):
            if path.is_file():
                assert b"AGFsaWNlAHNlY3JldA" not in path.read_bytes(), path


@pytest.fixture
def kept(tmp_path: Path) -> Daemon:
    """A daemon with three days of history, not running."""
    daemon = Daemon(tmp_path)
    alone(daemon, daemon.store, "ingest", str(written(tmp_path / "old.log", old_lines(3_000, 3))))
    return daemon


def test_a_person_is_erased_while_lines_come(kept: Daemon) -> None:
    with kept as daemon:
        append(daemon.log, made_lines(500, seed=4))
        daemon.start()
        daemon.wait_for(3_500)
        daemon.ask("trace", "a7@example.org")
        daemon.ask("store", "seal")
        dry = daemon.ask("privacy", "erase", "a7@example.org", "--dry-run")
        assert dry.returncode == 0
        assert "events" in dry.stderr
        done = daemon.ask("privacy", "erase", "a7@example.org", "--yes")
        assert done.returncode == 0, done.stderr
        assert dry.stderr in done.stderr
        receipt = json.loads(done.stdout)
        assert receipt["changed"]["events"] == 2
        append(daemon.log, message_lines(10, 900, 5))
        daemon.wait_for(3_550)
        for path in daemon.store.rglob("*"):
            if path.is_file():
                assert b"a7@example.org" not in path.read_bytes(), path
        file = daemon.place / "receipt.json"
        file.write_text(done.stdout)
        said = daemon.ask("privacy", "verify-receipt", str(file), "a7@example.org")
        assert "it is genuine; made" in said.stdout
        assert "another person" in daemon.ask("privacy", "verify-receipt", str(file), "x@example.org").stdout
        assert (
            daemon.ask("privacy", "export", "a7@example.org", "-o", str(daemon.place / "p.zip")).returncode
            == 0
        )
        assert daemon.stop() == 0
        assert daemon.rows("select count(*) as n from events") == [{"n": 3_550}]
        assert daemon.rows("select count(*) as n from messages where ended is not null") == [{"n": 710}]


def test_upkeep_while_it_runs(kept: Daemon) -> None:
    with kept as daemon:
        append(daemon.log, made_lines(500, seed=4))
        daemon.start()
        daemon.wait_for(3_500)
        sealed = daemon.ask("store", "seal")
        assert sealed.returncode == 0
        assert sealed.stderr.endswith("sealed\n")
        assert daemon.ask("store", "compact").returncode == 0
        assert daemon.ask("store", "verify").stdout == "every file is as it was written\n"
        copy = daemon.place / "copy"
        told_of = daemon.ask("store", "backup", str(copy))
        assert told_of.returncode == 0, told_of.stderr
        assert f"MB copied to {copy}" in told_of.stderr
        assert "it exists already" in daemon.ask("store", "backup", str(copy)).stderr
        append(daemon.log, message_lines(10, 900, 5))
        daemon.wait_for(3_550)
        # Nothing of the copy stays in the store, and DuckDB's lock on its file is held as before.
        assert not list(daemon.store.glob("backup*"))
        second = alone(daemon, daemon.store, "sql", "select 1")
        assert daemon.stop() == 0
        counted = alone(daemon, copy, "sql", "--format", "json", "select count(*) as n from events")
        assert json.loads(counted.stdout) == {"n": 3_500}
        assert second.returncode == 0


def test_a_damaged_file_is_set_aside_while_it_runs(kept: Daemon) -> None:
    with kept as daemon:
        daemon.ask("store", "seal")
        daemon.start()
        daemon.wait_until_ready()
        daemon.ask("store", "seal")
        victim = sorted(daemon.store.glob("events/*/*.parquet"))[0]
        victim.write_bytes(victim.read_bytes()[:-9])
        found = daemon.ask("store", "verify")
        assert (found.returncode, victim.name in found.stdout) == (1, True)
        assert daemon.ask("store", "verify", "--set-aside").returncode == 1
        assert daemon.ask("sql", "select count(*) from events").returncode == 0
        assert daemon.stop() == 0


def test_lines_that_come_do_not_wait_for_history(tmp_path: Path) -> None:
    old = written(tmp_path / "old.log", old_lines(40_000, 9))
    with Daemon(tmp_path) as daemon:
        daemon.start()
        daemon.wait_until_ready()
        loading = subprocess.Popen(
            [sys.executable, "-m", "mailscope", "ingest", str(old)],
            env=daemon.environment,
            stderr=subprocess.PIPE,
        )
        waits: list[float] = []
        number = 0
        with closing(Remote(daemon.place / "api.sock")) as door:
            while loading.poll() is None:
                number += 1
                append(daemon.log, message_lines(1, number, 6))
                begun = time.monotonic()
                asked = f"select count(*) as n from events where queue_id = '6{number:09X}'"
                while not next(door.sql(asked))["n"][0]:
                    time.sleep(0.05)
                waits.append(time.monotonic() - begun)
        assert loading.returncode == 0
        assert len(waits) > 2
        # The goal is two seconds where nothing else runs; tests run beside others.
        told = f"of {len(waits)} lines half waited {sorted(waits)[len(waits) // 2]:.1f} s, one {max(waits):.1f} s"
        assert sorted(waits)[len(waits) // 2] < 5, told
        assert max(waits) < 15, told
        print(told)
        assert daemon.stop() == 0
