"""Who asks for tallies while a batch is stored need not wait, and never sees a line twice or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from running import library
from storing import ZONE, Feeder, arrivals, lab_lines

from mailscope.store.counting import Counting
from mailscope.store.reader import Reader
from mailscope.tallies.kept import from_bytes
from mailscope.tallies.ledger import Ledger
from mailscope.vocabulary.tables import EVENTS

NAMES = ("recipients", "fates", "attempts", "received", "lines")
LINES = lab_lines()
HOUR = timedelta(hours=1)


@contextmanager
def taken() -> Iterator[None]:
    """A lock that somebody holds for long: who wants it has failed."""
    raise AssertionError("it waits for the batch")
    yield


class Asking:
    """Tallies of all time, as pages ask for them."""

    def __init__(self, feeder: Feeder) -> None:
        self._feeder, self._counting = feeder, Counting()
        first, last = feeder.database.span(EVENTS)
        assert first is not None
        assert last is not None
        self.span = first.replace(minute=0, second=0) - 24 * HOUR, last + 240 * HOUR

    def reader(self) -> Reader:
        return Reader(self._feeder.database, library(), ZONE, self._feeder.writer.under_way)

    def now(self, lock: object = None) -> Ledger:
        return self._counting.ledger(self.reader(), lock or nullcontext(), NAMES, *self.span)  # type: ignore[arg-type]

    def whole(self) -> Ledger:
        return from_bytes(self.reader().tallies(*self.span), ZONE)


def rows(ledger: Ledger) -> dict[str, list[tuple[object, ...]]]:
    found = {name: ledger.result(name) for name in NAMES}
    return {
        name: sorted(frame.select(sorted(frame.columns)).rows(), key=repr) for name, frame in found.items()
    }


@pytest.fixture
def feeder(tmp_path: Path) -> Iterator[Feeder]:
    found = Feeder(tmp_path / "store")
    yield found
    found.close()


def test_one_look_after_a_batch_serves_all_until_the_next_one(feeder: Feeder) -> None:
    one, two, three = arrivals(LINES, (len(LINES) // 3, len(LINES) // 2))
    feeder.feed(one)
    asking = Asking(feeder)
    with pytest.raises(AssertionError, match="waits"):
        asking.now(taken())
    first = rows(asking.now())
    assert first == rows(asking.whole())
    assert rows(asking.now(taken())) == first
    feeder.feed(two)
    with pytest.raises(AssertionError, match="waits"):
        asking.now(taken())
    second = rows(asking.now())
    assert second == rows(asking.whole()) != first
    # What is kept of hours counts once, whether it was seen before that or after.
    feeder.writer.checkpoint()
    assert rows(asking.now()) == second
    feeder.writer.checkpoint()
    assert rows(asking.now()) == second
    feeder.feed(three)
    assert rows(asking.now()) == rows(asking.whole())


def test_a_batch_that_is_being_stored_is_not_seen(feeder: Feeder, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = arrivals(LINES, (len(LINES) // 2,))
    feeder.feed(one)
    asking = Asking(feeder)
    before = rows(asking.now())
    seen = []
    whole = feeder.writer.note_sources

    def in_the_middle(*told: object) -> None:
        """The tallies in memory have the batch already, and the file has not."""
        asked = threading.Thread(target=lambda: seen.append(rows(asking.now(taken()))))
        asked.start()
        asked.join()
        whole(*told)  # type: ignore[arg-type]

    monkeypatch.setattr(feeder.writer, "note_sources", in_the_middle)
    feeder.feed(two)
    assert seen == [before]
    assert rows(asking.now()) == rows(asking.whole()) != before


def test_many_ask_while_lines_come(feeder: Feeder) -> None:
    """Counts only grow, and are those of whole batches."""
    size = 40
    pieces = arrivals(LINES, range(size, len(LINES), size))
    feeder.feed(pieces[0])
    asking, lock = Asking(feeder), threading.RLock()
    counts: list[list[int]] = [[], [], []]
    ended = threading.Event()

    def look(mine: list[int]) -> None:
        while not ended.is_set():
            mine.append(int(asking.now(lock).result("lines").select(pl.col("count").sum()).item()))

    threads = [threading.Thread(target=look, args=(mine,)) for mine in counts]
    for thread in threads:
        thread.start()
    for number, piece in enumerate(pieces[1:]):
        with lock:
            feeder.feed(piece)
        if number % 7 == 3:
            with lock:
                feeder.writer.checkpoint()
    ended.set()
    for thread in threads:
        thread.join()
    whole = {size * number for number in range(len(pieces))} | {len(LINES)}
    for mine in counts:
        assert mine == sorted(mine)
        assert set(mine) <= whole
        assert len(set(mine)) > 2
    assert rows(asking.now()) == rows(asking.whole())
