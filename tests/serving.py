"""The daemon as a process of its own, for tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mailscope.store.remote import Remote
from mailscope.vocabulary.errors import MailscopeError

PATIENCE_S = 300.0


def made_lines(count: int, seed: int = 1) -> list[str]:
    """Lines of messages of the last hour, each line once."""
    begin = datetime.now(UTC) - timedelta(hours=1)
    return [
        line
        for number in range(count // 5)
        for line in message_lines(1, number, seed, begin + timedelta(milliseconds=700 * number))
    ]


def message_lines(count: int, first: int, seed: int = 1, now: datetime | None = None) -> list[str]:
    """Five lines of each of some messages, whose numbers begin with ``first``."""
    at = (now or datetime.now(UTC)).isoformat(timespec="microseconds")
    lines = []
    for number in range(first, first + count):
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


class Daemon:
    """A directory with settings, a store, a log and a socket; and the process, while it runs."""

    def __init__(self, place: Path, more: str = "", log: Path | None = None) -> None:
        self.place = place
        self.log = log or place / "mail.log"
        self.store = place / "store"
        self.config = place / "mailscope.toml"
        self.errors = place / "errors"
        self.config.write_text(
            f'time_zone = "UTC"\n{more}\n'
            f'[sources]\ndiscover = false\nfiles = ["{self.log}"]\n'
            f'[store]\ndirectory = "{self.store}"\nbatch_interval_s = 0.2\n'
            f'[api]\nsocket = "{place}/api.sock"\n'
            f"[changes]\nenabled = false\n"
        )
        self.process: subprocess.Popen[bytes] | None = None
        # How much had been said before it was started last.
        self.said = 0

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return {**inherited, "MAILSCOPE_CONFIG": str(self.config)}

    def start(self) -> None:
        self.said = self.errors.stat().st_size if self.errors.exists() else 0
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mailscope", "serve"], env=self.environment, stderr=errors
            )

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE_S)
        self.process = None
        return code

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mailscope", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def popen(self, *words: str) -> subprocess.Popen[str]:
        """A command that goes on."""
        return subprocess.Popen(
            [sys.executable, "-m", "mailscope", *words],
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )

    def rows(self, statement: str) -> list[dict[str, Any]]:
        done = self.ask("sql", "--format", "json", statement)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def count(self, condition: str = "true") -> int:
        statement = f"select count(*) as n from events where {condition}"
        if self.process is None:
            rows = self.rows(statement)
            return int(rows[0]["n"]) if rows else 0
        # Asked without a process of its own for each time.
        try:
            door = Remote(self.place / "api.sock")
            answer = next(door.sql(statement))
            door.close()
        except MailscopeError:
            return 0
        return int(answer["n"][0])

    def wait_for(self, lines: int, condition: str = "true") -> None:
        """Until so many lines are stored; how long that takes hangs on the machine, so it must go on."""
        until, before = time.monotonic() + PATIENCE_S, 0
        while (found := self.count(condition)) < lines:
            if found > before:
                until, before = time.monotonic() + PATIENCE_S, found
            assert time.monotonic() < until, f"{found} of {lines} lines: {self.errors.read_text()[-2000:]}"
            code = None if self.process is None else self.process.poll()
            assert code is None, f"it ended with {code}: {self.errors.read_text()[-2000:]}"
            time.sleep(0.3)

    def wait_for_words(self, words: str) -> None:
        """Until it has said something."""
        until = time.monotonic() + PATIENCE_S
        while words not in self.errors.read_text():
            assert time.monotonic() < until, self.errors.read_text()[-2000:]
            time.sleep(0.1)

    def wait_until_ready(self) -> None:
        """Until it answers since it was started last."""
        until = time.monotonic() + PATIENCE_S
        while b"answering on" not in self.errors.read_bytes()[self.said :]:
            assert time.monotonic() < until, self.errors.read_text()[-2000:]
            time.sleep(0.02)

    def __enter__(self) -> Daemon:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE_S)
