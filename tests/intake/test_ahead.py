"""Reading ahead: the same items, the same errors, and no thread that stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Generator, Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailscope.intake.ahead import read_ahead


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


class Counter:
    """An endless source that knows how far it was driven, and whether and where it was closed."""

    def __init__(self) -> None:
        self.made = 0
        self.closed_in: str | None = None

    def items(self) -> Generator[int, None, None]:
        try:
            while True:
                self.made += 1
                yield self.made
        finally:
            self.closed_in = threading.current_thread().name


@given(items=st.lists(st.integers()), depth=st.integers(1, 4))
def test_the_same_items_in_the_same_order(items: list[int], depth: int) -> None:
    assert list(read_ahead(items, depth)) == items


def test_an_exception_comes_after_the_items_before_it() -> None:
    def failing() -> Iterator[int]:
        yield 1
        yield 2
        raise OSError("the disk")

    got: list[int] = []
    with pytest.raises(OSError, match="the disk"):
        got.extend(read_ahead(failing()))
    assert got == [1, 2]


def test_not_further_ahead_than_asked() -> None:
    counter = Counter()
    with closing(read_ahead(counter.items(), depth=3)) as items:
        assert next(items) == 1
        time.sleep(0.05)
        assert counter.made == 4  # the consumer's, and three ahead


def test_the_thread_works_while_the_consumer_does() -> None:
    def slow() -> Iterator[int]:
        for number in range(10):
            time.sleep(0.02)
            yield number

    start = time.monotonic()
    for _ in read_ahead(slow()):
        time.sleep(0.02)
    assert time.monotonic() - start < 0.35  # 0.4 without


@pytest.mark.parametrize("taken", [1, 5])
def test_closing_early_ends_the_thread_and_closes_the_source(taken: int) -> None:
    counter = Counter()
    items = read_ahead(counter.items())
    for _ in range(taken):
        next(items)
    items.close()
    assert counter.closed_in == "mailscope-read-ahead"


def test_closing_does_not_wait_for_all_that_was_allowed_ahead() -> None:
    counter = Counter()

    def slow() -> Iterator[int]:
        for item in counter.items():
            time.sleep(0.02)
            yield item

    with closing(read_ahead(slow(), depth=20)) as items:
        next(items)
    assert counter.made < 5


def test_dropping_it_ends_the_thread() -> None:
    counter = Counter()
    for item in read_ahead(counter.items()):
        if item == 3:
            break
    assert counter.closed_in == "mailscope-read-ahead"


def test_never_started() -> None:
    counter = Counter()
    read_ahead(counter.items()).close()
    assert counter.made == 0


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interrupted_consumer(error: type[BaseException]) -> None:
    counter = Counter()
    items = read_ahead(counter.items())
    next(items)
    with pytest.raises(error):
        items.throw(error())
    assert counter.closed_in == "mailscope-read-ahead"


def test_an_item_lives_no_longer_than_its_consumer_wants() -> None:
    class Item:
        pass

    items = read_ahead(Item() for _ in range(3))
    item = next(items)
    reference = weakref.ref(item)
    del item
    assert reference() is None
    items.close()


def test_one_behind_another() -> None:
    counter = Counter()
    with closing(read_ahead(read_ahead(counter.items()))) as items:
        assert [next(items) for _ in range(100)] == list(range(1, 101))
    assert counter.closed_in == "mailscope-read-ahead"


def test_depth_must_be_positive() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        read_ahead([], 0)


SILENT_PIPE = """
from mailscope.intake.ahead import read_ahead
from mailscope.intake.reader import Source, read_chunks
print("ready", flush=True)
for chunk in read_ahead(read_chunks(Source("-", "-", "-", 0, None, None, "none"))):
    pass
"""


def test_control_c_while_a_pipe_is_silent() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SILENT_PIPE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONFAULTHANDLER": "1"},
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        # Not communicate(): it would close the pipe, and the silence would end.
        assert process.wait(timeout=20) in (-signal.SIGINT, 1)
        stderr = process.stderr.read()
        assert b"KeyboardInterrupt" in stderr
        assert b"Fatal" not in stderr
