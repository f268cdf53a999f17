"""Some work in a thread beside other work that does not need it yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread


@contextmanager
def meanwhile(work: Callable[[], None] | None) -> Iterator[Callable[[], None]]:
    """Do some work (None: nothing) in a thread.

    What is given waits until it is done, and raises what it raised.  It is over when the block is left,
    however that is.
    """
    if work is None:
        yield lambda: None
        return
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = Thread(target=run, name="meanwhile", daemon=True)
    thread.start()

    def done() -> None:
        thread.join()
        if raised:
            raise raised[0]

    try:
        yield done
    finally:
        thread.join()
