"""What checks measure in a store of which every figure is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from finding_rows import finding
from metering import log_lines
from storing import Feeder, arrivals

from mailscope.store.findings import handling
from mailscope.store.sealing import next_slice, seal
from mailscope.vocabulary.errors import MailscopeError, UsageError
from mailscope.watch.checks.answering import answered
from mailscope.watch.checks.check import Facts, Health
from mailscope.watch.checks.plugin import Measured, State
from mailscope.watch.checks.registry import CHECKS, measured

# Three times the small log, half an hour apart: each sends one message, puts one off, bounces one.
BEGIN = datetime(2026, 11, 27, 9)
NOW = BEGIN + timedelta(minutes=70)
LINES = [
    f"{line}\n".encode()
    for serial in range(3)
    for line in log_lines((BEGIN + timedelta(minutes=30 * serial)).replace(tzinfo=UTC), serial)
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Feeder]:
    feeder = Feeder(tmp_path_factory.mktemp("checks") / "store")
    feeder.feed(*arrivals(LINES, []))
    for name, row in FINDINGS.items():
        feeder.writer.add("findings", finding(name, NOW, row))
    feeder.writer.add("handled", handling("d" * 16, NOW, "muted", "ann", "", None))
    feeder.writer.add("handled", handling("e" * 16, NOW, "muted", "ann", "", NOW - timedelta(minutes=1)))
    feeder.writer.add("handled", handling("a" * 16, NOW, "acknowledged", "ann", "", None))
    yield feeder
    feeder.close()


FINDINGS = {
    "a": {"severity": "critical", "title": "attack a"},
    "b": {"severity": "warning", "title": "attack b"},
    "c": {"severity": "warning", "title": "over", "over_time": NOW},
    "d": {"severity": "critical", "title": "muted for good"},
    "e": {"severity": "warning", "title": "muted no more"},
    "f": {"severity": "warning", "title": "listed", "detection": "dnsbl_listed"},
}


def ask(
    store: Feeder, name: str, now: datetime = NOW, health: Health | None = None, **options: Any
) -> Measured:
    check = CHECKS[name]
    with store.database.snapshot(views=False) as looking:
        return measured(check, Facts(looking, now, health), check.question(**options))


def figures(found: Measured) -> dict[str, float | None]:
    return {each.label: each.value for each in found.figures}


def test_queue(store: Feeder) -> None:
    found = ask(store, "queue")
    # 15 lines of each log are written within 15 ms; a message's first line is its first.
    assert figures(found) == {"messages": 3, "oldest": 4_200, "size": 3_000}
    assert found.words == "3 messages in the queue, the oldest since 70 min"
    assert found.details == ("example.net: 3 messages put off, the oldest since 70 min",)
    assert figures(ask(store, "queue", older_than_s=1_800.0))["messages"] == 2
    assert figures(ask(store, "queue", queue="deferred"))["messages"] == 3
    assert figures(ask(store, "queue", queue="hold"))["messages"] == 0
    assert figures(ask(store, "queue", domain="EXAMPLE.net", older_than_s=3_000.0))["messages"] == 1
    assert figures(ask(store, "queue", domain="ample.net"))["messages"] == 0
    assert figures(ask(store, "queue", sender="A@example.org"))["messages"] == 3
    assert ask(store, "queue", age=True).figures[0].label == "oldest"
    assert ask(store, "queue", domain="example.com").words == "0 messages in the queue for example.com"


def test_deliveries(store: Feeder) -> None:
    assert figures(ask(store, "deliveries", window_s=3_000.0)) == {
        "sent": 2, "deferred": 2, "bounced": 2, "attempts": 6,
    }  # fmt: skip
    found = ask(store, "deliveries", window_s=86_400.0, count="deferred", percent=True)
    assert found.figures[0].label == "deferred_percent"
    assert figures(found)["deferred_percent"] == 33.333
    assert figures(ask(store, "deliveries", window_s=60.0))["sent"] == 0
    assert figures(ask(store, "deliveries", sender="example.org"))["sent"] == 2
    assert figures(ask(store, "deliveries", sender="b@example.org"))["sent"] == 0
    assert figures(ask(store, "deliveries", domain="example.org"))["attempts"] == 0


def test_bounces_of_what_was_decided(store: Feeder) -> None:
    found = ask(store, "bounces", minimum=3)
    assert (figures(found), found.few) == ({"bounced_percent": 50, "bounced": 2, "sent": 2}, False)
    assert found.words == "2 of 4 deliveries bounced in 60 min (50.0 %)"
    (detail,) = found.details
    assert detail.endswith(": 2")
    few = ask(store, "bounces")
    assert few.few
    assert few.words.endswith(", fewer than 20")
    assert figures(ask(store, "bounces", domain="example.com"))["bounced_percent"] is None


def test_delays(store: Feeder) -> None:
    found = ask(store, "delays", window_s=86_400.0)
    assert figures(found) == {"p95": 2, "median": 2, "longest": 2, "deliveries": 3}
    assert figures(ask(store, "delays", stage="transmit", percentile=50.0))["p50"] == 1.08
    empty = ask(store, "delays", window_s=1.0)
    assert (empty.figures[0].value, empty.few, empty.words) == (None, True, "0 deliveries in 1 s")


def test_logins(store: Feeder) -> None:
    found = ask(store, "logins", window_s=7_200.0)
    assert figures(found) == {"failed": 3, "succeeded": 3}
    assert found.details == ("failed, by user: bob 3", "failed, by client: 203.0.113.9 3")
    most = ask(store, "logins", window_s=7_200.0, most="client")
    assert (most.figures[0].label, most.figures[0].value) == ("most_of_one_client", 3)
    assert most.words == "3 failed logins, 3 succeeded in 2 h, most of 203.0.113.9: 3"
    for options, failed in (
        ({"user": "BOB"}, 3), ({"user": "ann"}, 0), ({"client": "203.0.113.9"}, 3), ({"client": "192.0.2.8"}, 0),
        ({"service": "imap-login"}, 3), ({"service": "smtpd"}, 0), ({"window_s": 60.0}, 0),
    ):  # fmt: skip
        assert figures(ask(store, "logins", **{"window_s": 7_200.0, **options}))["failed"] == failed, options


def test_coverage(store: Feeder) -> None:
    count = len(LINES) // 3
    found = ask(store, "coverage", window_s=7_200.0, minimum=10)
    assert figures(found) == {
        "recognised_percent": round(100 * (count - 1) / count, 3), "lines": 3 * count, "unrecognised": 3,
    }  # fmt: skip
    assert found.details == ("strange: 3",)
    assert figures(ask(store, "coverage", program="strange"))["recognised_percent"] == 0


def test_findings(store: Feeder) -> None:
    found = ask(store, "findings")
    assert figures(found) == {"findings": 4, "critical": 1}
    assert set(found.details) == {
        "critical: attack a [aaaaaaaaaaaaaaaa]",
        "warning: attack b [bbbbbbbbbbbbbbbb]",
        "warning: muted no more [eeeeeeeeeeeeeeee]",
        "warning: listed [ffffffffffffffff]",
    }
    assert figures(ask(store, "findings", severity="critical", unacknowledged=True))["findings"] == 0
    assert figures(ask(store, "findings", detection="brute_force"))["findings"] == 3


def test_listings(store: Feeder) -> None:
    found = ask(store, "dnsbl")
    assert (figures(found), found.worst) == ({"listings": 1}, State.OK)
    assert found.details == ("warning: listed [ffffffffffffffff]",)
    assert figures(ask(store, "dnsbl", address="203.0.113.9"))["listings"] == 1
    assert figures(ask(store, "dnsbl", address="203.0.113.1"))["listings"] == 0


def test_daemon(store: Feeder) -> None:
    assert ask(store, "daemon").worst is State.CRITICAL
    well = Health(BEGIN, 45, NOW - timedelta(seconds=30), 0.25, "", ())
    found = ask(store, "daemon", health=well)
    assert figures(found) == {"last_batch_age": 30, "lag": 0.2, "lines": 45, "problems": 0}
    assert (found.worst, found.words) == (State.OK, "it stores lines, the last batch was 30 s ago")
    assert ask(store, "daemon", health=well, lag=True).figures[0].label == "lag"
    assert ask(store, "daemon", health=replace(well, problems=("a log is gone",))).worst is State.WARNING
    stuck = ask(store, "daemon", health=replace(well, problem="full", problems=("the disk is full",)))
    assert (stuck.worst, stuck.details) == (State.CRITICAL, ("the disk is full",))


def test_a_store_that_nothing_comes_into_tells_nothing_of_now(store: Feeder, tmp_path: Path) -> None:
    later = NOW + timedelta(days=3)
    with pytest.raises(MailscopeError, match="the store has no line since 3 d"):
        ask(store, "queue", later)
    # A window that reaches back to the lines is meant so.
    assert figures(ask(store, "deliveries", later, window_s=5 * 86_400.0))["sent"] == 3
    assert ask(store, "findings", later).figures[0].value == 4
    empty = Feeder(tmp_path / "empty")
    with pytest.raises(MailscopeError, match="the store has no line"):
        ask(empty, "logins")
    empty.close()


def test_sealed_days_are_looked_into(tmp_path: Path) -> None:
    feeder = Feeder(tmp_path / "store")
    feeder.feed(*arrivals(LINES, []))
    later = NOW + timedelta(days=2)
    while (part := next_slice(feeder.database, later)) is not None:
        seal(feeder.database, part)
    assert feeder.database.value("select count(*) from own.manifest where name = 'deliveries'") > 0
    window = {"window_s": 3 * 86_400.0}
    assert figures(ask(feeder, "deliveries", later, **window))["attempts"] == 9
    assert figures(ask(feeder, "logins", later, **window))["failed"] == 3
    feeder.close()


def test_what_cannot_be_asked(store: Feeder) -> None:
    for name, options, words in (
        ("spam", {}, "there is no check 'spam'"),
        ("queue", {"queues": "all"}, "queues: Unexpected keyword argument"),
        ("queue", {"queue": "x' or true --"}, "queue: Input should be 'all'"),
        ("delays", {"window_s": "long"}, "window_s: Input should be a valid number"),
    ):
        with pytest.raises(UsageError, match=words):
            answered(store.database, name, options, None)
