"""Some work in a thread beside other work."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Thread
from typing import Final, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")
AT_ONCE: Final = 2


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


def side_by_side(work: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[Made]:
    """What some work makes of items, in their order; two are worked on at once, and few lie ready.

    For work that is done outside Python, as Polars' is.
    """
    with ThreadPoolExecutor(AT_ONCE, "side-by-side") as pool:
        waiting: deque[Future[Made]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > AT_ONCE:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
