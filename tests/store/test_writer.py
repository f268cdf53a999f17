"""What comes in pieces is stored as if it had come at once; a restart changes nothing."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from running import Run, run, source
from storing import ZONE, Feeder, arrivals, assert_same, contents, lab_lines

from mailscope.store.restore import restore
from mailscope.store.writer import Writer
from mailscope.tallies import kept


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    feeder = Feeder(tmp_path_factory.mktemp("whole"))
    feeder.feed(*arrivals(lab_lines(), ()))
    found = contents(feeder.database)
    feeder.close()
    return found


def test_each_line_is_a_row_and_no_row_is_made_up(whole: dict[str, pl.DataFrame]) -> None:
    lines = [line.rstrip(b"\n").decode() for line in lab_lines()]
    assert whole["events"]["raw"].to_list() == lines
    assert whole["events"]["line_number"].to_list() == list(range(1, len(lines) + 1))


def test_messages_are_those_that_trace_and_report_know(whole: dict[str, pl.DataFrame]) -> None:
    events = whole["events"]
    # Where smtpd has no queue file yet (a proxy filter takes the message), there is no id.
    begun = events.filter((pl.col("event") == "accepted") & pl.col("queue_id").is_not_null())["trail_id"]
    assert begun.null_count() == 0
    assert set(begun) <= set(whole["messages"]["trail_id"])
    known = pl.col("queue_id").is_not_null()
    attempts = events.filter((pl.col("event") == "delivery_attempted") & known)
    assert len(attempts) == len(whole["deliveries"])
    assert whole["deliveries"]["trail_id"].null_count() == 0


@pytest.mark.parametrize(("size", "most"), [(1, 60), (7, 420), (200, 5_020)])
def test_cuts_do_not_matter(tmp_path: Path, size: int, most: int) -> None:
    lines = lab_lines()[:most]
    together, apart = Feeder(tmp_path / "together"), Feeder(tmp_path / "apart")
    together.feed(*arrivals(lines, ()))
    for arrival in arrivals(lines, range(0, most, size)):
        apart.feed(arrival)
    assert_same(contents(together.database), contents(apart.database))
    together.close()
    apart.close()


@pytest.mark.parametrize("kept_state", [False, True])
def test_a_restart_after_any_batch_changes_nothing(
    tmp_path: Path, whole: dict[str, pl.DataFrame], kept_state: bool
) -> None:
    lines = lab_lines()
    feeder = Feeder(tmp_path)
    for number, arrival in enumerate(arrivals(lines, range(0, len(lines), 500))):
        feeder.feed(arrival)
        if kept_state and number % 3 == 0:
            feeder.writer.checkpoint()
        if number % 2:
            feeder.close()
            feeder = Feeder(tmp_path)
            feeder.sequence._streams.clear()
    assert_same(whole, contents(feeder.database))
    assert feeder.writer.resume_points() == {"mail.log": {"offset": len(lines)}}
    feeder.close()


def test_a_batch_that_fails_leaves_nothing_and_can_be_written_again(
    tmp_path: Path, whole: dict[str, pl.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = lab_lines()
    feeder = Feeder(tmp_path)
    first, second = arrivals(lines, (300,))
    feeder.feed(first)
    before = contents(feeder.database)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(Writer, "note_sources", fail)
        with pytest.raises(OSError, match="No space"):
            feeder.feed(second)
    assert_same(before, contents(feeder.database))
    feeder.writer.recover()
    feeder.feed(second)
    assert_same(whole, contents(feeder.database))
    feeder.close()


def test_tallies_of_all_hours_are_those_of_the_report(tmp_path: Path) -> None:
    """The same numbers as a report on the file, but for what depends on messages still open."""
    lines = lab_lines()
    feeder = Feeder(tmp_path / "store")
    for arrival in arrivals(lines, range(0, len(lines), 500)):
        feeder.feed(arrival)
    feeder.writer.checkpoint()
    feeder.close()
    feeder = Feeder(tmp_path / "store")
    under_way = restore(feeder.database, feeder.writer.engine, ZONE)
    assert under_way.hours.ledgers == {}
    hours = under_way.hours
    for hour, data in feeder.database.connection.execute("select hour, data from own.hours").fetchall():
        hours.put(hour, kept.from_bytes(bytes(data), ZONE))
    hours.add([], under_way.tracker.finish())
    found = Run(hours.between(None, None), [])
    path = tmp_path / "mail.log"
    path.write_bytes(b"".join(lines))
    told = run([source(path)])
    assert found.totals == told.totals
    assert found.tallies == told.tallies
    assert found.ledger.samples.kept == told.ledger.samples.kept
    feeder.close()


def test_states_that_were_kept_before_are_gone(tmp_path: Path) -> None:
    """DuckDB keeps deleted rows beside those in use: a store with many of a large state could not be opened."""
    feeder = Feeder(tmp_path / "store")
    feeder.feed(*arrivals(lab_lines(), ()))
    for _ in range(5):
        feeder.writer.checkpoint()
    feeder.database.connection.execute("checkpoint")
    rows = feeder.database.connection.execute(
        "select sum(count) from pragma_storage_info('own.state') where column_name = 'data' "
        "and segment_type <> 'VALIDITY'"
    ).fetchall()
    assert rows == [(1,)]
    before = contents(feeder.database)
    feeder.close()
    again = Feeder(tmp_path / "store")
    assert again.writer.under_way.relived == 0
    assert_same(contents(again.database), before)
    again.close()


def test_before_lines_are_sealed_the_state_is_kept_once_in_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feeder = Feeder(tmp_path / "store")
    one, two = arrivals(lab_lines(), (100,))
    kept: list[int] = []
    monkeypatch.setattr(
        feeder.writer, "checkpoint", lambda whole=feeder.writer.checkpoint: (kept.append(1), whole())
    )
    feeder.feed(one)
    for _ in range(3):
        feeder.writer.checkpoint_of_batch()
    assert len(kept) == 1
    feeder.feed(two)
    for _ in range(3):
        feeder.writer.checkpoint_of_batch()
    assert len(kept) == 2
    feeder.close()
