"""The daily report: due at its time, sent once, over restarts and kills and refusals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.controller import Controller
from mta import free_port
from serving import Daemon

from mailscope.daemon.daily import FIRST_WAIT, LONGEST_WAIT, SETTLED, Daily, daily
from mailscope.vocabulary.settings.reading import load

ROME = ZoneInfo("Europe/Rome")
STEP = timedelta(seconds=20)


class Server:
    """A server that keeps what it takes; ``answers``: what it says to the next ones instead."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.refused: set[str] = set()
        self.taken: list[Any] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address in self.refused:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answers:
            return self.answers.pop(0)
        self.taken.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"

    @property
    def days(self) -> list[str]:
        return [message["Message-ID"].split(".")[1].partition("@")[0] for message in self.taken]


@pytest.fixture
def server() -> Iterator[tuple[Server, int]]:
    handler = Server()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield handler, controller.port
    controller.stop()


class Clock:
    """Time that passes as the test wants; a child takes as long as it takes."""

    def __init__(self, at: str) -> None:
        self.now = datetime.fromisoformat(at)

    def until(self, sender: Daily, at: str) -> None:
        """Go on to an instant, step by step, waiting for children."""
        end = datetime.fromisoformat(at)
        while self.now < end:
            sender.step(self.now)
            if sender._child is not None:
                sender._child[0].process.wait(60)
                sender.step(self.now)
            self.now += STEP


PRETEND = """
import sys
from pathlib import Path
folder, day, record = sys.argv[1:]
with open(f"{folder}/tries", "a") as tries:
    tries.write(day + "\\n")
if Path(folder, "refuse").exists():
    sys.exit("mailscope: the server refused")
Path(record).write_text("{}")
"""


def pretended(tmp_path: Path, said: list[str], keep_days: int = 30) -> Daily:
    """A sender whose child only writes down that it was called."""
    return Daily(
        tmp_path / "reports",
        datetime(2026, 1, 1, 6, 30).time(),
        ROME,
        keep_days,
        lambda day, record: [sys.executable, "-c", PRETEND, str(tmp_path), str(day), str(record)],
        dict(os.environ),
        said.append,
    )


def tries(tmp_path: Path) -> list[str]:
    path = tmp_path / "tries"
    return path.read_text().split() if path.exists() else []


def test_each_day_is_reported_at_its_time(tmp_path: Path) -> None:
    said: list[str] = []
    sender, clock = pretended(tmp_path, said), Clock("2026-11-25T10:00:00")
    clock.until(sender, "2026-11-26T05:29:40")
    assert tries(tmp_path) == []
    # Half past six in Rome.
    clock.until(sender, "2026-11-26T05:32:00")
    assert tries(tmp_path) == ["2026-11-25"]
    clock.until(sender, "2026-11-27T05:29:40")
    assert tries(tmp_path) == ["2026-11-25"]
    clock.until(sender, "2026-11-27T05:32:00")
    assert tries(tmp_path) == ["2026-11-25", "2026-11-26"]
    assert said == ["the report of 2026-11-25 was sent", "the report of 2026-11-26 was sent"]


def test_days_that_were_missed_are_reported_later_but_no_older_ones(tmp_path: Path) -> None:
    clock = Clock("2026-11-02T10:00:00")
    clock.until(pretended(tmp_path, []), "2026-11-02T10:05:00")
    clock = Clock("2026-11-20T03:00:00")
    clock.until(pretended(tmp_path, []), "2026-11-20T03:20:00")
    # Before half past six yesterday is not due yet.
    assert tries(tmp_path) == [f"2026-11-{day}" for day in range(12, 19)]
    clock.until(pretended(tmp_path, []), "2026-11-20T06:00:00")
    assert tries(tmp_path)[-1] == "2026-11-19"


def test_a_refusal_is_tried_again_later_and_later(tmp_path: Path) -> None:
    said: list[str] = []
    sender, clock = pretended(tmp_path, said), Clock("2026-11-25T10:00:00")
    clock.until(sender, "2026-11-26T05:25:00")
    (tmp_path / "refuse").touch()
    clock.until(sender, "2026-11-26T11:30:00")
    # 1, 2, 4 ... 32 minutes, then every hour.
    assert FIRST_WAIT * 60 == LONGEST_WAIT
    assert 9 <= len(tries(tmp_path)) <= 12
    assert sender.problem == "the report of 2026-11-25 was not sent: the server refused"
    assert said == [f"{sender.problem}; it is tried again"]
    (tmp_path / "refuse").unlink()
    clock.until(sender, "2026-11-26T12:40:00")
    assert sender.problem == ""
    assert said[-1] == "the report of 2026-11-25 was sent"


def test_records_are_kept_as_long_as_the_settings_say(tmp_path: Path) -> None:
    clock = Clock("2026-11-01T10:00:00")
    sender = pretended(tmp_path, [], keep_days=10)
    for day in range(2, 27):
        clock.now = datetime(2026, 11, day, 5, 29)
        clock.until(sender, f"2026-11-{day:02}T05:35:00")
    kept = sorted(path.name for path in (tmp_path / "reports").glob("*.sent"))
    assert kept == [f"2026-11-{day}.sent" for day in range(16, 26)]
    assert len(tries(tmp_path)) == 24


def sending(store: Path, port: int, said: list[str], *recipients: str, zone: ZoneInfo = ROME) -> Daily:
    text = f"""time_zone = "{zone}"
[daily_report]
recipients = {json.dumps(recipients or ["postmaster@example.org"])}
language = "it"
via = "smtp"
smtp_host = "127.0.0.1"
smtp_port = {port}
smtp_tls = "none"
"""
    file = store.parent / "mailscope.toml"
    file.write_text(text)
    found = daily(load(file).settings, file, store, zone, said.append)
    assert found is not None
    return found


@pytest.fixture
def store(tmp_path: Path) -> Path:
    log = tmp_path / "mail.log"
    lines = [
        f"2026-11-{day}T12:00:0{number}Z mx postfix/smtpd[1]: NOQUEUE: reject: RCPT from a.example.net[192.0.2.1]: "
        f"554 5.7.1 <b@example.org>: Relay access denied; from=<a@example.net> to=<b@example.org> proto=ESMTP helo=<a>"
        for day in (23, 24, 25)
        for number in range(day - 20)
    ]
    log.write_text("\n".join(lines) + "\n")
    words = [
        sys.executable,
        "-m",
        "mailscope",
        "ingest",
        "--tz=Europe/Rome",
        f"--store={tmp_path / 'store'}",
        str(log),
    ]
    subprocess.run(words, check=True, capture_output=True)
    (tmp_path / "store" / "reports").mkdir()
    (tmp_path / "store" / "reports" / "since").write_text("2026-11-24\n")
    return tmp_path / "store"


def test_the_mail_tells_of_the_day_and_is_sent_once(store: Path, server: tuple[Server, int]) -> None:
    handler, port = server
    said: list[str] = []
    handler.answers = ["451 4.3.0 try later"]
    clock = Clock("2026-11-26T05:31:00")
    clock.until(sending(store, port, said), "2026-11-26T05:45:00")
    assert handler.days == ["2026-11-24", "2026-11-25"]
    assert "try later" in said[0]
    body = handler.taken[0].get_body(("plain",)).get_content()
    assert handler.taken[0]["Subject"].endswith("2026-11-24")
    assert "Rapporto" in body
    # Others find the records.
    clock.until(sending(store, port, said), "2026-11-26T06:00:00")
    assert len(handler.taken) == 2
    record = json.loads((store / "reports" / "2026-11-25.sent").read_text())
    assert record["message_id"] == handler.taken[1]["Message-ID"]
    assert "postmaster" not in (store / "reports" / "2026-11-25.sent").read_text()


@pytest.mark.parametrize("zone", [ROME, ZoneInfo("Asia/Kolkata")], ids=str)
def test_a_day_without_a_line_is_reported_too(
    store: Path, server: tuple[Server, int], zone: ZoneInfo
) -> None:
    """Also where days do not begin at a whole hour of UTC, so that lines must be counted."""
    handler, port = server
    (store / "reports" / "since").write_text("2026-11-26\n")
    said: list[str] = []
    Clock("2026-11-27T05:31:00").until(sending(store, port, said, zone=zone), "2026-11-27T05:33:00")
    assert handler.days == ["2026-11-26"], said


def test_what_some_recipients_got_is_not_sent_to_them_again(store: Path, server: tuple[Server, int]) -> None:
    handler, port = server
    handler.refused = {"gone@example.org"}
    said: list[str] = []
    sender = sending(store, port, said, "postmaster@example.org", "gone@example.org")
    Clock("2026-11-25T05:31:00").until(sender, "2026-11-25T06:30:00")
    assert handler.days == ["2026-11-24"]
    assert "gone@example.org (550 5.1.1 no such user)" in sender.problem


def test_two_senders_at_once_send_once(store: Path, server: tuple[Server, int]) -> None:
    """As when the daemon was killed and started again while its child is at work."""
    handler, port = server
    now = datetime(2026, 11, 25, 5, 31)
    senders = [sending(store, port, []) for _ in range(3)]
    for sender in senders:
        sender.step(now)
        sender.step(now + SETTLED)
    for sender in senders:
        assert sender._child is not None
        assert sender._child[0].process.wait(120) == 0
    assert handler.days == ["2026-11-24"]


def waited(true: Callable[[], bool], said: Callable[[], str]) -> None:
    until = time.monotonic() + 120
    while not true():
        assert time.monotonic() < until, said()
        time.sleep(0.2)


@pytest.mark.slow
def test_over_kills_of_the_daemon(tmp_path: Path, server: tuple[Server, int]) -> None:
    handler, port = server
    today = datetime.now(UTC).date()
    expected = [f"{today - timedelta(days=number)}" for number in (3, 2, 1)]
    more = (
        f'[daily_report]\nrecipients = ["postmaster@example.org"]\nat = "00:00"\nvia = "smtp"\n'
        f'smtp_host = "127.0.0.1"\nsmtp_port = {port}\nsmtp_tls = "none"\n'
    )
    with Daemon(tmp_path, more) as daemon:
        at = (datetime.now(UTC) - timedelta(days=1)).isoformat()
        daemon.log.write_text(f"{at} mx postfix/qmgr[7]: 4B5C61F001: removed\n")
        reports = daemon.store / "reports"
        reports.mkdir(parents=True)
        (reports / "since").write_text(f"{expected[0]}\n")
        for pause in (5.5, 8.0, 7.0, 10.0):
            daemon.start()
            time.sleep(pause)
            daemon.stop(signal.SIGKILL)
        daemon.start()
        waited(lambda: len(list(reports.glob("*.sent"))) == 3, lambda: daemon.errors.read_text()[-2000:])
        # No child is at work any more that could send another one.
        time.sleep(3)
        assert Counter(handler.days) == Counter(expected)
        assert daemon.stop() == 0
