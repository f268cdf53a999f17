"""Figures of a service, also where its store fails; the feeds' own."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from storing import Feeder

from mailscope.daemon.held import Status
from mailscope.daemon.metrics import Measured
from mailscope.intake.follow.files import FileFeed
from mailscope.intake.follow.naming import Followed
from mailscope.intake.live import Feed
from mailscope.syslog.receiver.counts import Counts
from mailscope.syslog.receiver.feed import Receiver
from mailscope.watch.metrics.labels import MOST

STARTED = datetime(2026, 11, 27, 12)


def service(feeder: Feeder, feeds: list[Feed], problem: str = "") -> Any:
    status = Status(STARTED)
    status.problem = problem
    return SimpleNamespace(
        status=status, feeds=feeds, database=feeder.database, problems=lambda: [problem] if problem else []
    )


def test_a_store_that_fails_does_not_keep_back_the_figures_that_tell_so(tmp_path: Path) -> None:
    feeder = Feeder(tmp_path)
    measured = Measured()
    assert measured.values(service(feeder, []))["mailscope_store_readable"] == {(): 1}
    feeder.close()
    told = Measured().values(service(feeder, [], "the disk is full"))
    assert told["mailscope_store_readable"] == {(): 0}
    assert told["mailscope_daemon_storing"] == {(): 0}
    assert told["mailscope_daemon_problems"] == {(): 1}
    assert "mailscope_store_rows" not in told


def test_the_store_is_not_asked_at_each_scrape(tmp_path: Path) -> None:
    feeder = Feeder(tmp_path)
    measured = Measured()
    before = measured.values(service(feeder, []))
    feeder.close()
    # As told a moment ago.
    assert measured.values(service(feeder, []))["mailscope_store_rows"] == before["mailscope_store_rows"]


def test_how_far_followed_logs_are_behind(tmp_path: Path) -> None:
    logs = [tmp_path / f"{number:03}.log" for number in range(MOST + 3)]
    for log in logs:
        log.write_text("")
    feed = FileFeed([Followed(str(log)) for log in logs], {})
    feeder = Feeder(tmp_path / "store")
    assert feed.take(1 << 20) is not None
    for log in logs:
        with log.open("a") as file:
            file.write("Nov 27 12:00:00 mx postfix/smtpd[1]: connect from unknown[192.0.2.1]\n" * 2)
    waiting = Measured().values(service(feeder, [feed]))["mailscope_source_waiting_bytes"]
    size = logs[0].stat().st_size
    assert len(waiting) == MOST + 1
    assert waiting[(str(logs[0]),)] == size
    assert waiting[("other",)] == 3 * size
    while feed.take(1 << 20):
        pass
    waiting = Measured().values(service(feeder, [feed]))["mailscope_source_waiting_bytes"]
    assert set(waiting.values()) == {0}
    # Renamed by rotation, and written to still: not what now has its name.
    logs[0].rename(tmp_path / "000.log.1")
    logs[0].write_text("x" * 1000)
    assert feed.waiting_bytes()[str(logs[0])] == 0
    feed.close()
    feeder.close()


def test_what_the_receiver_lost_is_told(tmp_path: Path) -> None:
    counts = Counts()
    counts.messages, counts.bytes, counts.connections = 5, 500, 2
    counts.add("queue", 3, 0)
    counts.add("sender", 1, 0, "192.0.2.9")
    receiver = Receiver.__new__(Receiver)
    receiver._server = SimpleNamespace(counts={"tcp [::1]:601": counts})  # type: ignore[assignment]
    receiver._queue = SimpleNamespace(waiting_bytes=70)  # type: ignore[assignment]
    feeder = Feeder(tmp_path)
    told = Measured().values(service(feeder, [receiver]))
    feeder.close()
    name = "tcp [::1]:601"
    assert told["mailscope_receiver_messages"] == {(name,): 5}
    assert told["mailscope_receiver_bytes"] == {(name,): 500}
    assert told["mailscope_receiver_connections"] == {(name,): 2}
    assert told["mailscope_receiver_troubles"] == {
        (name, "kernel"): 0,
        (name, "queue"): 3,
        (name, "sender"): 1,
    }
    assert told["mailscope_receiver_waiting_bytes"] == {(): 70}
    assert told["mailscope_sources"] == {("file",): 0, ("journal",): 0, ("listener",): 1}
