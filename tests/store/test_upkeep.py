"""Sealing, compacting, expiring: the rows stay the same, or go as they should."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from storing import Feeder, arrivals, assert_same, contents, lab_lines

from mailscope.store import sealing, upkeep
from mailscope.store.database import Database
from mailscope.vocabulary.tables import TABLES

LATER = datetime(2027, 1, 1)


@pytest.fixture
def feeder(tmp_path: Path) -> Feeder:
    made = Feeder(tmp_path / "store")
    made.feed(*arrivals(lab_lines(), ()))
    made.writer.checkpoint()
    return made


def seal_all(database: Database) -> list[str]:
    done = []
    while (part := sealing.next_slice(database, LATER)) is not None:
        done.append(sealing.seal(database, part))
    return done


def test_sealing_moves_rows_and_changes_none(feeder: Feeder) -> None:
    before = contents(feeder.database)
    files = seal_all(feeder.database)
    assert files
    assert feeder.database.value("select count(*) from hot.events") == 0
    assert_same(before, contents(feeder.database))
    assert upkeep.check(feeder.database, thorough=True) == []


def test_slices_are_bounded(feeder: Feeder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "SLICE_ROWS", 400)
    before = contents(feeder.database)
    seal_all(feeder.database)
    counts = feeder.database.connection.execute(
        "select row_count from own.manifest where name = 'events'"
    ).fetchall()
    assert len(counts) > 3
    assert_same(before, contents(feeder.database))
    rows = feeder.database.connection.execute("select distinct name, day from own.manifest").fetchall()
    assert any(upkeep.compact(feeder.database, TABLES[name], day) for name, day in rows)
    assert_same(before, contents(feeder.database))
    assert sealing.remove_strays(feeder.database) == []


def test_a_crash_between_file_and_manifest_leaves_only_a_stray(
    feeder: Feeder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(feeder.database)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(sealing, "enter", crash)
        part = sealing.next_slice(feeder.database, LATER)
        assert part is not None
        with pytest.raises(KeyboardInterrupt):
            sealing.seal(feeder.database, part)
    assert_same(before, contents(feeder.database))
    # The file and its index.
    assert len(sealing.remove_strays(feeder.database)) == 2
    seal_all(feeder.database)
    assert_same(before, contents(feeder.database))


def test_messages_under_way_stay_hot(feeder: Feeder) -> None:
    seal_all(feeder.database)
    rows = feeder.database.connection.execute("select closed from hot.messages").fetchall()
    assert rows
    assert not any(closed for (closed,) in rows)


def test_what_is_too_old_goes_with_its_files(feeder: Feeder) -> None:
    seal_all(feeder.database)
    last = feeder.database.value("select max(time) from events")
    gone = upkeep.expire(
        feeder.database, {"events": last + timedelta(seconds=1), "hours": last + timedelta(1)}
    )
    assert gone >= 1
    assert feeder.database.value("select count(*) from events") == 0
    assert feeder.database.value("select count(*) from own.hours") == 0
    assert not list((feeder.database.directory / "events").glob("day=*/*"))
    assert feeder.database.value("select count(*) from deliveries") > 0


def test_a_store_of_a_later_version_is_left_alone(feeder: Feeder) -> None:
    feeder.database.set_about("version", "99")
    directory = feeder.database.directory
    feeder.close()
    with pytest.raises(Exception, match="version 99"):
        Database(directory)


def test_an_older_store_is_brought_up_to_date_and_says_so(feeder: Feeder) -> None:
    before = contents(feeder.database)
    directory = feeder.database.directory
    feeder.database.connection.execute("alter table hot.events drop column interface")
    feeder.database.connection.execute("drop table hot.marks")
    feeder.close()
    database = Database(directory)
    assert database.brought_up == ["table events has new columns: interface", "table marks is new"]
    after = contents(database)
    assert_same({name: frame.select(sorted(frame.columns)) for name, frame in before.items()}, after)
    database.close()
    assert Database(directory).brought_up == []


def test_a_store_can_be_moved(feeder: Feeder, tmp_path: Path) -> None:
    seal_all(feeder.database)
    before = contents(feeder.database)
    feeder.close()
    moved = (tmp_path / "store").rename(tmp_path / "moved")
    database = Database(moved, read_only=True)
    assert_same(before, contents(database))
    database.close()
