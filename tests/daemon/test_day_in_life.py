"""A day in the life: a real Postfix sends mail of known fates while the daemon follows its log.

It is killed, the log is rotated while it runs and while it is down, and what ``trace``, ``report`` and ``sql``
tell in the end is what was sent.
"""

from __future__ import annotations

import gzip
import json
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from mta import Postfix, free_port, require_postfix, running_postfix
from peers import RSYSLOGD, rsyslogd, write
from serving import Daemon

from mailscope.cli.main import mailscope

pytestmark = pytest.mark.slow

SENDER = "alice@example.org"
# How many messages of which recipients a quarter of the day has.
QUARTER = (
    (["ok.{n}@example.net"], 6),
    (["ok.{n}@example.net", "also.{n}@example.com"], 2),
    (["defer.{n}@example.net"], 2),
    (["bounce.{n}@example.net"], 2),
    (["ok.{n}@example.net", "bounce.{n}@example.com"], 1),
    (["unwanted@example.net"], 1),
    (["unwanted@example.net", "ok.{n}@example.net"], 1),
)
FATES = {"ok": "sent", "also": "sent", "defer": "deferred", "bounce": "bounced"}


@dataclass(frozen=True)
class Sent:
    """One message: those of its recipients that were taken, with their fates."""

    message_id: str
    fates: dict[str, str]
    rejected: int


def quarter(postfix: Postfix, begin: int) -> list[Sent]:
    """Send a quarter of the day's mail; numbers of messages go on from ``begin``."""
    out = []
    for recipients, count in QUARTER:
        for _ in range(count):
            number = begin + len(out)
            message_id = f"{number}.day@example.org"
            to = [recipient.format(n=number) for recipient in recipients]
            rejected = postfix.send(message_id, SENDER, to)
            fates = {each: FATES[each.partition(".")[0]] for each in to if not each.startswith("unwanted")}
            assert rejected == len(to) - len(fates)
            out.append(Sent(message_id, fates, rejected))
    return out


@dataclass
class Day:
    """What was sent, and the daemon that has seen it."""

    sent: list[Sent]
    daemon: Daemon
    logged: list[str]

    def count(self, fate: str) -> int:
        return sum(list(each.fates.values()).count(fate) for each in self.sent)

    @property
    def accepted(self) -> int:
        return sum(bool(each.fates) for each in self.sent)

    @property
    def notified(self) -> int:
        """Messages with a recipient that bounced: the sender gets a notification."""
        return sum("bounced" in each.fates.values() for each in self.sent)


@pytest.fixture(scope="module")
def day() -> Iterator[Day]:
    require_postfix()
    # Postfix' own user must come through.
    place = Path(tempfile.mkdtemp(prefix="mailscope-day-"))
    place.chmod(0o755)
    (place / "mta").mkdir(mode=0o755)
    (place / "daemon").mkdir()
    try:
        with Daemon(place / "daemon", log=place / "mta" / "log" / "maillog") as daemon:
            with running_postfix(place / "mta") as postfix:
                sent = lived(postfix, daemon)
                logged = lines_of(postfix.log.parent)
                daemon.wait_for(len(logged))
            # What Postfix says as it ends is of the day as well.
            logged = lines_of(postfix.log.parent)
            daemon.wait_for(len(logged))
            yield Day(sent, daemon, logged)
            assert daemon.stop() == 0
    finally:
        shutil.rmtree(place, ignore_errors=True)


def lived(postfix: Postfix, daemon: Daemon) -> list[Sent]:
    """The day itself."""
    daemon.start()
    sent = quarter(postfix, 0)
    daemon.wait_for(30)
    # It is killed; the log grows, is rotated and packed, and grows again meanwhile.
    daemon.stop(signal.SIGKILL)
    sent += quarter(postfix, 100)
    postfix.run("postfix", "logrotate")
    sent += quarter(postfix, 200)
    daemon.start()
    daemon.wait_for(150)
    # The log is rotated under its eyes, and it is killed again in the middle of what follows.
    time.sleep(1.1)
    postfix.run("postfix", "logrotate")
    sent += quarter(postfix, 300)
    daemon.stop(signal.SIGKILL)
    daemon.start()
    deferred = sum("deferred" in each.fates.values() for each in sent)
    postfix.settle(deferred)
    # Everything that waits is tried once more, in vain, and then taken out by hand.
    before = len(lines_of(postfix.log.parent))
    postfix.run("postqueue", "-f")
    until = time.monotonic() + 60
    while sum("status=deferred" in line for line in lines_of(postfix.log.parent)[before:]) < deferred:
        assert time.monotonic() < until
        time.sleep(0.2)
    postfix.settle(deferred)
    # By their ids: with ALL it names no message, and says only how many.
    postfix.run("postsuper", "-d", "-", text="\n".join(postfix.queued()))
    return sent


def lines_of(folder: Path) -> list[str]:
    """All that was logged, from the oldest file on."""
    live = folder / "maillog"
    rotated = sorted(path for path in folder.iterdir() if path != live)
    found = [
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in rotated
    ]
    return (b"".join(found) + (live.read_bytes() if live.exists() else b"")).decode().splitlines()


def ask(daemon: Daemon, *words: str) -> str:
    """A command through the daemon, without the start of a process."""
    done = CliRunner().invoke(mailscope, words, env={"MAILSCOPE_CONFIG": str(daemon.config)})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.stdout


def test_every_line_is_stored_once(day: Day) -> None:
    stored = Counter(row["raw"] for row in day.daemon.rows("select raw from events"))
    assert stored == Counter(day.logged)
    assert day.daemon.rows("select raw from events where event is null") == []


def test_trace_tells_the_fate_of_each_message(day: Day) -> None:
    for each in day.sent:
        told = json.loads(ask(day.daemon, "trace", f"<{each.message_id}>", "--format", "json"))
        ours = [trail for trail in told if trail["message_id"] == each.message_id]
        assert len(ours) == bool(each.fates), each
        if not ours:
            continue
        found = {to["recipient"]: to["status"] for to in ours[0]["recipients"]}
        expected = {to: "deleted" if fate == "deferred" else fate for to, fate in each.fates.items()}
        assert found == expected, each
        attempts = {to["recipient"]: len(to["attempts"]) for to in ours[0]["recipients"]}
        assert attempts == {to: 2 if fate == "deferred" else 1 for to, fate in each.fates.items()}
        assert ours[0]["sender"] == SENDER
        # What bounced is told with the notification that went back.
        assert len(told) == 1 + ("bounced" in each.fates.values()), each


def test_trace_finds_all_of_a_recipient(day: Day) -> None:
    told = day.daemon.ask("trace", "bounce.110@example.net")
    assert told.returncode == 0, told.stderr
    assert "bounced" in told.stdout
    assert "no such user" in told.stdout


def test_the_report_counts_what_was_sent(day: Day) -> None:
    told = json.loads(ask(day.daemon, "report", "--format", "json"))
    check_report(told, day)
    # A span of whole hours is added up from tallies, any other counted from the lines.
    first = day.daemon.rows("select min(time) as first from events")[0]["first"]
    check_report(json.loads(ask(day.daemon, "report", "--since", f"{first}Z", "--format", "json")), day)


def check_report(told: dict[str, Any], day: Day) -> None:
    messages, recipients, attempts = told["messages"], told["recipients"], told["attempts"]
    assert told["lines"]["read"] == told["lines"]["recognised"] == len(day.logged)
    assert messages["received"] == day.accepted
    assert messages["internal"] == day.notified
    assert messages["accepted"] == messages["finished"] == day.accepted + day.notified
    assert (messages["open"], messages["before_log"]) == (0, 0)
    assert messages["deferred"] == messages["deleted"] == day.count("deferred")
    assert recipients["total"] == sum(len(each.fates) for each in day.sent) + day.notified
    assert recipients["sent"] == day.count("sent") + day.notified
    assert recipients["bounced"] == day.count("bounced")
    assert recipients["deleted"] == day.count("deferred")
    assert recipients["queued"] == 0
    assert attempts["deferred"] == 2 * day.count("deferred")
    assert attempts["sent"] == recipients["sent"]
    assert attempts["bounced"] == recipients["bounced"]
    assert told["rejected"]["total"] == sum(each.rejected for each in day.sent)
    assert all(not each["remainder"] for each in told["balance"])


def test_sql_counts_what_was_sent(day: Day) -> None:
    rows = day.daemon.rows("select status, count(*) as n from deliveries group by status")
    assert {row["status"]: row["n"] for row in rows} == {
        "sent": day.count("sent") + day.notified,
        "deferred": 2 * day.count("deferred"),
        "bounced": day.count("bounced"),
    }
    rows = day.daemon.rows(
        "select ended, count(*) as n from messages where queue_id is not null group by ended"
    )
    assert {row["ended"]: row["n"] for row in rows} == {
        "removed": day.accepted + day.notified - day.count("deferred"),
        "deleted": day.count("deferred"),
    }
    names = {
        row["message_id"] for row in day.daemon.rows("select message_id from messages where origin = 'smtpd'")
    }
    assert names == {each.message_id for each in day.sent if each.fates}
    rows = day.daemon.rows("select count(*) as n from events where event = 'rejected'")
    assert rows == [{"n": sum(each.rejected for each in day.sent)}]


@pytest.mark.skipif(RSYSLOGD is None, reason="needs rsyslogd (Debian: rsyslog)")
def test_the_same_day_through_rsyslogd(day: Day, tmp_path: Path) -> None:
    """The same lines, handed to rsyslogd as a program does, and on to the daemon's receiver over TCP."""
    port = free_port()
    listen = f'[[receiver.listen]]\ntransport = "tcp"\naddress = "127.0.0.1"\nport = {port}\n'
    with Daemon(tmp_path, listen) as daemon, tempfile.TemporaryDirectory(prefix="ms-") as short:
        daemon.start()
        daemon.wait_for_words("answering on")
        rule = f'action(type="omfwd" target="127.0.0.1" port="{port}" protocol="tcp" TCP_Framing="octet-counted")'
        with rsyslogd(Path(short), rule) as inside:
            # A program gives the stamp and its tag; the host's name is rsyslogd's.
            write(inside, [f"<22>{line[:16]}{line[16:].split(' ', 1)[1]}".encode() for line in day.logged])
            daemon.wait_for(len(day.logged), "program like 'postfix/%'")
        check = json.loads(ask(daemon, "report", "--format", "json"))
        direct = json.loads(ask(day.daemon, "report", "--format", "json"))
        for table in ("messages", "recipients", "attempts"):
            assert check[table] == direct[table], table
        assert check["rejected"]["total"] == direct["rejected"]["total"]
        assert daemon.stop() == 0
