"""What was written is brought into the DuckDB file between batches, and nothing of it is lost meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
from storing import Feeder, arrivals, assert_same, contents, lab_lines

from mailscope.store import writer
from mailscope.store.connecting import another


def test_what_waits_is_brought_in_between_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = lab_lines()
    plain, settling = Feeder(tmp_path / "plain"), Feeder(tmp_path / "settling")
    monkeypatch.setattr(writer, "WAITING_BYTES", 0)
    for arrival in arrivals(lines, range(0, len(lines), 40)):
        plain.feed(arrival)
        settling.feed(arrival)
        waited = settling.database.write_ahead.size()
        settling.writer.settle()
        # The next batch does not ask whether it is done.
        assert waited > 0
    settling.database.write_ahead.wait()
    assert settling.database.write_ahead.size() == 0
    assert_same(contents(plain.database), contents(settling.database))
    plain.close()
    settling.close()
    again = Feeder(tmp_path / "settling")
    again.close()


def test_others_may_read_and_write_meanwhile(tmp_path: Path) -> None:
    feeder = Feeder(tmp_path / "store")
    feeder.feed(*arrivals(lab_lines(), ()))
    log = feeder.database.write_ahead
    with feeder.database.snapshot() as looking:
        before = looking.value("select count(*) from events")
        other = another(feeder.database.connection)
        other.execute("begin transaction")
        other.execute("insert into own.about values ('other', 'writes')")
        log.bring_in(feeder.database.connection)
        log.wait()
        other.execute("commit")
        other.close()
        log.bring_in(feeder.database.connection)
        log.wait()
        assert looking.value("select count(*) from events") == before
    log.bring_in(feeder.database.connection)
    log.wait()
    assert log.size() == 0
    whole = contents(feeder.database)
    feeder.close()
    again = Feeder(tmp_path / "store")
    assert again.database.about("other") == "writes"
    assert_same(whole, contents(again.database))
    again.close()
