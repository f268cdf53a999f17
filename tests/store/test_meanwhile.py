"""Work in a thread beside other work."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from mailscope.store.meanwhile import AT_ONCE, meanwhile, side_by_side


def test_it_runs_beside_and_is_waited_for() -> None:
    go, done = threading.Event(), threading.Event()

    def work() -> None:
        assert go.wait(10)
        done.set()

    with meanwhile(work) as finished:
        assert not done.is_set()
        go.set()
        finished()
        assert done.is_set()


def test_what_it_raised_is_raised_where_it_is_waited_for() -> None:
    def work() -> None:
        raise ValueError("odd")

    with meanwhile(work) as finished, pytest.raises(ValueError, match="odd"):
        finished()


def test_it_is_over_when_the_other_work_fails() -> None:
    done = threading.Event()

    def work() -> None:
        time.sleep(0.05)
        done.set()

    with pytest.raises(KeyError), meanwhile(work):
        raise KeyError
    assert done.is_set()


def test_there_may_be_nothing_to_do() -> None:
    with meanwhile(None) as finished:
        finished()


def test_side_by_side_keeps_the_order_and_takes_few_ahead() -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in range(20):
            taken.append(number)
            yield number

    made = side_by_side(lambda number: (time.sleep(0.01 * (number % 3)), number)[1], items())
    for number in range(20):
        assert next(made) == number
        assert len(taken) <= number + AT_ONCE + 1
    assert list(made) == []


def test_side_by_side_raises_what_was_raised() -> None:
    made = side_by_side(lambda number: 6 // number, [3, 2, 0, 1])
    assert [next(made), next(made)] == [2, 3]
    with pytest.raises(ZeroDivisionError):
        next(made)
