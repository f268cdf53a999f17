"""Work in a thread beside other work."""

from __future__ import annotations

import threading
import time

import pytest

from mailscope.store.meanwhile import meanwhile


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
