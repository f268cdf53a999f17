"""Tallies outlive the lines that they were counted from, without naming anybody."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from storing import LAB, ZONE, Feeder, arrivals, lab_lines

from mailscope.cli.main import mailscope
from mailscope.store import upkeep
from mailscope.store.database import Database
from mailscope.tallies import kept

HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    feeder = Feeder(tmp_path / "store")
    feeder.feed(*arrivals(lab_lines(), ()))
    feeder.writer.checkpoint()
    feeder.close()
    return tmp_path / "store"


def report(store: Path) -> dict[str, object]:
    done = CliRunner().invoke(
        mailscope,
        ("report", "--tz", "UTC", "--format", "json", "--store", str(store)),
        catch_exceptions=False,
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def blobs(database: Database) -> list[bytes]:
    return [bytes(data) for (data,) in database.connection.execute("select data from own.hours").fetchall()]


def test_no_name_is_left_and_totals_stay(store: Path) -> None:
    before = report(store)
    database = Database(store)
    last = database.value("select max(hour) from own.hours")
    senders = [kept.from_bytes(data, ZONE).parts()["senders"]["sender"].to_list() for data in blobs(database)]
    assert any("alice@lab.example" in names for names in senders)
    assert upkeep.forget_names(database, last + HOUR) > 0
    assert upkeep.forget_names(database, last + HOUR) == 0
    for data in blobs(database):
        ledger = kept.from_bytes(data, ZONE)
        assert not ledger.samples.kept
        for name, rows in ledger.parts().items():
            for column in rows.iter_columns():
                texts = [text for text in column.to_list() if isinstance(text, str)]
                assert not [text for text in texts if "@" in text], (name, column.name)
                # Next hops are servers.
                if column.name != "relay_host":
                    assert not [text for text in texts if "127.0.0" in text], (name, column.name)
        assert b"alice" not in data
    database.close()
    after = report(store)
    for part in ("lines", "messages", "recipients", "attempts", "received"):
        assert after.get(part) == before.get(part), part
    assert "alice" not in json.dumps(after)


def test_expire_takes_names_first_and_the_rest_later(store: Path) -> None:
    feeder = Feeder(store)
    later = (LAB.parent / "mail.log").read_bytes().splitlines(keepends=True)
    feeder.feed(*arrivals(later[:500], (), "later"))
    feeder.writer.checkpoint()
    feeder.close()
    database = Database(store)
    last: datetime = database.value("select max(hour) from own.hours")
    count = len(blobs(database))
    upkeep.expire(database, {"names": last, "hours": last - timedelta(days=999)})
    assert database.value(
        "select count(*) from own.hours where batch = ? and hour < ?", [upkeep.NAMELESS, last]
    )
    assert (
        database.value(
            "select count(*) from own.hours where batch = ? and hour >= ?", [upkeep.NAMELESS, last]
        )
        == 0
    )
    assert 0 < len(blobs(database)) <= count
    upkeep.expire(database, {"hours": last + HOUR})
    assert not blobs(database)
    database.close()
