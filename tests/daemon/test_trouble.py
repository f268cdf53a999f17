"""Disks that are full, stores that are taken away: nothing is lost or doubled, and it goes on by itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from running import library
from storing import ZONE, Feeder, arrivals, assert_same, contents, lab_lines

from mailscope.daemon import trouble
from mailscope.daemon.keeping import EVERY
from mailscope.daemon.service import Service
from mailscope.intake.live import Arrival
from mailscope.store import upkeep
from mailscope.store.database import Database
from mailscope.store.refusals import DamagedError, StoreError
from mailscope.vocabulary.instants import naive_now

LINES = 1_600
PATIENCE_S = 60.0


class Given:
    """A feed of what it is given."""

    def __init__(self) -> None:
        self.waiting: list[Arrival] = []
        self.done = 0

    def take(self, limit_bytes: int) -> Sequence[Arrival]:
        taken, self.waiting = self.waiting[:1], self.waiting[1:]
        return taken

    def stored(self, arrivals: Sequence[Arrival]) -> None:
        self.done += len(arrivals)

    def problems(self) -> Sequence[str]:
        return ()

    def end(self) -> bool:
        return False

    def close(self) -> None:
        pass


class Running:
    """A service over a store, which is not in a process of its own."""

    def __init__(self, store: Path) -> None:
        self.feed, self.said = Given(), list[str]()
        self.service = Service(
            open=lambda: Database(store),
            library=library(),
            zone=ZONE,
            feeds=[self.feed],
            say=self.said.append,
        )
        self.hold_upkeep()

    def hold_upkeep(self) -> None:
        self.service.upkeep.at = naive_now() + EVERY

    def give(self, *arrived: Arrival) -> None:
        """Turns of the loop until all that is given is stored, or cannot be."""
        self.feed.waiting += arrived
        for _ in arrived:
            self.service.step()

    def until_well(self) -> None:
        until = time.monotonic() + PATIENCE_S
        while self.feed.waiting or self.service._in_hand or self.service.problems():
            assert time.monotonic() < until, self.said
            self.service.step()
            time.sleep(0.01)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(trouble, "LONGEST_WAIT_S", 0.3)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> object:
    feeder = Feeder(tmp_path_factory.mktemp("whole"))
    feeder.feed(*arrivals(lab_lines()[:LINES], ()))
    found = contents(feeder.database)
    feeder.close()
    return found


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 MB."""
    place = tmp_path / "small"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=48m", "mailscope-test", str(place)]
    if os.geteuid() != 0 or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@contextmanager
def full(place: Path, left: int) -> Iterator[None]:
    """So many bytes are left on a file system, no more."""
    filler = place / "filler"
    space = os.statvfs(place)
    filler.write_bytes(bytes(max(0, space.f_bavail * space.f_frsize - left)))
    try:
        yield
    finally:
        filler.unlink()


def test_a_full_disk_when_the_store_is_begun(small: Path) -> None:
    with full(small, 4096), pytest.raises(StoreError) as refused:
        Database(small / "store")
    assert not isinstance(refused.value, DamagedError)
    assert (
        str(refused.value) == f"{small}/store/mailscope.duckdb: the disk is full; make room, then try again"
    )
    Database(small / "store").close()


def test_a_full_disk_during_batches(small: Path, whole: dict[str, object]) -> None:
    running = Running(small / "store")
    # So that the log beside the file is written into it as often as it is on a day.
    running.service.database.connection.execute("set checkpoint_threshold = '512KB'")
    pieces = arrivals(lab_lines()[:LINES], range(0, LINES, 100))
    running.give(*pieces[:4])
    for number, left in enumerate((0, 1 << 17, 3 << 18)):
        with full(small, left):
            running.give(*pieces[4 + 4 * number : 8 + 4 * number])
            if not left:
                assert "No space left" in running.service.problems()[0]
                assert "No space left" in running.service.status.problem
                # What is stored can be looked at meanwhile.
                told = running.service.reader().status()
                assert told["tables"]["events"]["rows"] == 400
        running.until_well()
        running.service.database.connection.execute("set checkpoint_threshold = '512KB'")
    assert any("the store cannot be written" in words for words in running.said)
    assert "the store takes lines again; none was lost" in running.said
    assert running.feed.done == len(pieces)
    assert_same(whole, contents(running.service.database))  # type: ignore[arg-type]
    assert running.service.status.lines == LINES
    running.service.stop()


def test_a_full_disk_during_sealing(small: Path, whole: dict[str, object]) -> None:
    store = small / "store"
    running = Running(store)
    running.give(*arrivals(lab_lines()[:LINES], range(0, LINES, 500)))
    for left in (0, 1 << 17):
        with full(small, left):
            running.service.upkeep.at = naive_now()
            for _ in range(8):
                running.service.step()
                time.sleep(0.01)
            if not left:
                assert "the store cannot be kept in order" in running.service.problems()[0]
            assert not list(store.rglob("*.new"))
        running.until_well()
    while running.service.step():
        pass
    assert running.service.problems() == []
    assert running.service.database.value("select count(*) from hot.events") == 0
    assert upkeep.check(running.service.database, thorough=True) == []
    assert_same(whole, contents(running.service.database))  # type: ignore[arg-type]
    running.service.stop()


def test_a_batch_that_is_stored_although_an_error_came_is_not_stored_twice(
    tmp_path: Path, whole: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB: "COMMIT succeeded and is durable, but the autocheckpoint failed"."""
    running = Running(tmp_path / "store")
    seen: list[int] = []
    running.service.watchers.append(lambda rows: seen.append(len(rows)))
    first, second, third = arrivals(lab_lines()[:LINES], (500, 1000))
    running.give(first)
    honest = Database.transaction

    @contextmanager
    def durable(self: Database) -> Iterator[None]:
        with honest(self):
            yield
        monkeypatch.setattr(Database, "transaction", honest)
        raise duckdb.FatalException("COMMIT succeeded and is durable, but the autocheckpoint failed")

    monkeypatch.setattr(Database, "transaction", durable)
    running.give(second)
    assert running.feed.done == 1
    running.until_well()
    assert running.feed.done == 2
    running.give(third)
    running.until_well()
    assert seen == [500, 500, LINES - 1000]
    assert_same(whole, contents(running.service.database))  # type: ignore[arg-type]
    running.service.stop()


def test_a_store_that_is_removed_is_begun_anew_and_said(tmp_path: Path) -> None:
    store = tmp_path / "store"
    running = Running(store)
    first, second = arrivals(lab_lines()[:LINES], (500,))
    running.give(first)
    shutil.rmtree(store)
    running.give(second)
    assert "removed or replaced" in running.said[0]
    running.until_well()
    assert running.service.database.value("select count(*) from events") == LINES - 500
    running.service.stop()
    reopened = Database(store, read_only=True)
    assert reopened.value("select count(*) from events") == LINES - 500
    reopened.close()


def test_a_store_that_may_not_be_opened_for_a_while(
    tmp_path: Path, whole: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    running = Running(tmp_path / "store")
    first, second, third = arrivals(lab_lines()[:LINES], (500, 1000))
    running.give(first)
    honest = running.service.open

    def refused() -> Database:
        raise PermissionError(13, "Permission denied", "mailscope.duckdb")

    running.service.open = refused
    running.service.database.close()
    running.give(second)
    time.sleep(0.05)
    running.give(third)
    assert any("Permission denied" in words for words in running.said)
    running.service.open = honest
    running.until_well()
    assert_same(whole, contents(running.service.database))  # type: ignore[arg-type]
    running.service.stop()
