"""Looks at the queue: what the daemon keeps of them, and what checks, metrics and detections make of it."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from metering import log_lines
from storing import Feeder, arrivals

from mailscope.daemon import queues
from mailscope.daemon.queues import QueueSampler
from mailscope.queues.postfix import reader
from mailscope.queues.postfix.config import Config
from mailscope.vocabulary.tables import QUEUE_SNAPSHOTS
from mailscope.watch.checks.check import Facts
from mailscope.watch.checks.registry import CHECKS, measured
from mailscope.watch.metrics.kept import queue
from mailscope.watch.waiting import END, SCHEMA, Latest, Level

NOW = datetime(2026, 11, 22, 3, 55, 57)


@pytest.fixture(scope="module")
def told(lab: Path) -> list[dict[str, Any]]:
    """What Postfix' own listing says of that queue."""
    return [json.loads(line) for line in (lab / "golden/postqueue-j.json").read_text().splitlines()]


def looked(sampler: QueueSampler, now: datetime = NOW) -> pl.DataFrame:
    for _ in range(1000):
        rows = sampler.sample(now)
        if rows is not None:
            return rows
    raise AssertionError("it comes to no end")


def test_rows_are_what_postqueue_counts(lab: Path, told: list[dict[str, Any]]) -> None:
    latest = Latest()
    sampler = QueueSampler("mx", [lab / "spool"], 60, latest)
    rows = looked(sampler)
    assert tuple(rows.columns) == QUEUE_SNAPSHOTS.names
    assert sampler.problems == ()
    of_queue = {row["queue_name"]: row for row in rows.iter_rows(named=True) if row["domain"] is None}
    assert {name: row["messages"] for name, row in of_queue.items()} == Counter(
        each["queue_name"] for each in told
    )
    for name, row in of_queue.items():
        mine = [each for each in told if each["queue_name"] == name]
        assert row["size_bytes"] == sum(each["message_size"] for each in mine)
        assert row["oldest_time"].replace(microsecond=0, tzinfo=UTC).timestamp() == min(
            each["arrival_time"] for each in mine
        )
        assert row["recipients"] == sum(len({r["address"] for r in each["recipients"]}) for each in mine)
    put_off: dict[str, set[str]] = defaultdict(set)
    for each in told:
        for recipient in each["recipients"]:
            if "delay_reason" in recipient:
                put_off[recipient["address"].rpartition("@")[2]].add(each["queue_id"])
    by_domain = {row["domain"]: row["messages"] for row in rows.iter_rows(named=True) if row["domain"]}
    assert by_domain == {name: len(ids) for name, ids in put_off.items()}
    assert latest.level is not None
    assert latest.level.messages == len(told) == len(latest.level.rows())


def test_it_is_gone_through_in_steps(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = looked(QueueSampler("mx", [lab / "spool"], 60, Latest()))
    monkeypatch.setattr(queues, "STEP_S", 0.0)
    sampler = QueueSampler("mx", [lab / "spool"], 60, Latest())
    assert sampler.sample(NOW) is None
    assert looked(sampler).sort("queue_name", "domain").equals(whole.sort("queue_name", "domain"))
    # The next look comes when it is time.
    assert sampler.sample(NOW + timedelta(seconds=59)) is None
    monkeypatch.setattr(queues, "STEP_S", 10.0)
    assert sampler.sample(NOW + timedelta(seconds=600)) is not None


def test_an_empty_queue_is_told_and_one_that_cannot_be_read_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("incoming", "active", "deferred", "hold", "maildrop"):
        (tmp_path / name).mkdir()
    rows = looked(QueueSampler("mx", [tmp_path], 60, Latest()))
    assert rows["messages"].to_list() == [0] * 5
    sampler = QueueSampler("mx", [tmp_path / "none"], 60, Latest())
    assert "there is no such directory" in sampler.problems[0]
    # As it is for a user who may not look into it.
    monkeypatch.setattr(reader.os, "access", lambda *_, **__: False)
    latest = Latest(level=level(3, {}))
    blind = QueueSampler("mx", [tmp_path], 60, latest)
    assert blind.sample(NOW) is None
    assert latest.level is None
    assert "run as root or as the user of Postfix" in blind.problems[-1]


def level(messages: int, by_domain: dict[str, int]) -> Level:
    schema = {**SCHEMA, END: SCHEMA["begin"]}
    return Level(NOW, messages, by_domain, pl.DataFrame(schema=schema))


def test_a_look_counts_for_instants_near_it() -> None:
    reckoned = Level(NOW + timedelta(minutes=9), 900, {"a.example": 5}, level(0, {}).followed)
    seen = level(7, {"a.example": 2})
    assert Latest().near(reckoned) is reckoned
    near = Latest(seen).near(reckoned)
    assert (near.time, near.messages, near.by_domain) == (reckoned.time, 7, {"a.example": 2})
    late = Level(NOW + timedelta(minutes=11), 900, {}, reckoned.followed)
    assert Latest(seen).near(late) is late


@pytest.fixture(scope="module")
def store(lab: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Feeder]:
    """A log in which one message of the host mx waits, and a look at its queue with 85 of them."""
    feeder = Feeder(tmp_path_factory.mktemp("store") / "store")
    lines = [f"{line}\n".encode() for line in log_lines(NOW.replace(tzinfo=UTC) - timedelta(hours=1), 0)]
    feeder.feed(*arrivals(lines, []))
    yield feeder
    feeder.close()


def test_sql_checks_and_metrics_prefer_the_look(store: Feeder, lab: Path, told: list[dict[str, Any]]) -> None:
    with store.database.snapshot(views=False) as looking:
        host = looking.value("select any_value(host) from hot.messages")
        before = queue(looking, NOW)["mailscope_queue_messages"]
    assert sum(before.values()) == 1
    counts = Counter(each["queue_name"] for each in told)
    sampler = QueueSampler(host.partition(".")[0], [lab / "spool"], 60, Latest())
    store.writer.add(QUEUE_SNAPSHOTS.name, looked(sampler))
    with store.database.snapshot() as looking:
        rows = looking.connection.execute(
            "select sum(messages) from queue_snapshots where queue_name = 'deferred'"
        ).fetchall()
        assert rows == [(counts["deferred"],)]
    with store.database.snapshot(views=False) as looking:
        found = queue(looking, NOW)["mailscope_queue_messages"]
        assert found["deferred",] == counts["deferred"]
        assert found["hold",] == counts["hold"]
        assert sum(found.values()) == len(told)
        # Of a look that is old, nothing follows for now.
        assert sum(queue(looking, NOW + timedelta(hours=1))["mailscope_queue_messages"].values()) == 1
        check = CHECKS["queue"]
        facts = Facts(looking, NOW)
        figures = {each.label: each.value for each in measured(check, facts, check.question()).figures}
        assert figures["messages"] == len(told)
        grey = measured(check, facts, check.question(domain="grey.example"))
        assert {each.label: each.value for each in grey.figures}["messages"] == 4
        # A sender is not in it: lines are asked.
        asked = check.question(sender="a@example.org")
        assert {each.label: each.value for each in measured(check, facts, asked).figures}["messages"] == 1


def test_of_other_hosts_lines_are_asked(store: Feeder, lab: Path, told: list[dict[str, Any]]) -> None:
    later = NOW + timedelta(minutes=20)
    store.writer.add(
        QUEUE_SNAPSHOTS.name, looked(QueueSampler("another", [lab / "spool"], 60, Latest()), later)
    )
    with store.database.snapshot(views=False) as looking:
        assert sum(queue(looking, later)["mailscope_queue_messages"].values()) == len(told) + 1
        check = CHECKS["queue"]
        found = measured(check, Facts(looking, later), check.question())
        assert {each.label: each.value for each in found.figures}["messages"] == len(told) + 1


def test_postqueue_is_asked_where_the_spool_may_not_be_read(
    lab: Path, told: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in prints what the real one did."""
    program = tmp_path / "postqueue"
    program.write_text(f"#!/bin/sh\ncat '{lab}/golden/postqueue-j.json'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    settings = Config(tmp_path, {"queue_directory": str(lab / "spool")})
    monkeypatch.setattr("mailscope.queues.postfix.config.of", lambda *_: settings)
    before = looked(QueueSampler("mx", [lab / "spool"], 60, Latest()))
    real = os.access
    monkeypatch.setattr(
        os,
        "access",
        lambda path, *how, **more: path != lab / "spool" / Path(path).name and real(path, *how, **more),
    )
    latest = Latest()
    sampler = QueueSampler("mx", [lab / "spool"], 60, latest)
    rows = looked(sampler)
    assert "postqueue was asked" in " ".join(sampler.problems)
    same = ["queue_name", "domain", "messages", "recipients", "size_bytes"]
    assert rows.select(same).sort(same).equals(before.select(same).sort(same))
    assert latest.level is not None
    assert latest.level.messages == len(told)
    # One that cannot be asked is no empty queue.
    program.write_text("#!/bin/sh\necho 'postqueue: fatal: you may not' >&2\nexit 69\n")
    sampler = QueueSampler("mx", [lab / "spool"], 60, latest)
    assert sampler.sample(NOW) is None
    assert "you may not" in sampler.problems[0]
    assert latest.level is None
