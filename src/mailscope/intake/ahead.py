"""Run an iterator in a thread of its own, a few items ahead of whoever consumes it.

In: an iterable, such as the chunks of a compressed log (unpacking releases the GIL).  Out: the same items,
in the same order, and the same exception if it raises one.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from queue import SimpleQueue
from threading import Thread
from typing import Final, TypeVar

Item = TypeVar("Item")

_PATIENCE_S: Final = 2.0


def read_ahead(items: Iterable[Item], depth: int = 2) -> Generator[Item, None, None]:
    """Give the items of an iterable, which is run in the background.

    In: ``depth``, how many items may lie ready or be in the making besides the one that the consumer holds.
    The thread starts when the first item is asked for, and has ended when this iterator ends or is closed;
    ``items`` is closed too (in that thread), so that its files are not left open.  Only a thread that waits
    for input which does not come (a silent pipe) is left after two seconds; it does not keep the program.
    Errors: whatever ``items`` raises, after the items before it.  ValueError if depth < 1.
    """
    if depth < 1:
        raise ValueError("depth must be at least 1")
    return _consume(items, depth)


def _consume(items: Iterable[Item], depth: int) -> Generator[Item, None, None]:
    # SimpleQueue is written in C and survives a KeyboardInterrupt at any point of the consumer, which
    # Queue and Condition do not: they may be left locked.
    permits: SimpleQueue[bool] = SimpleQueue()  # True: make one more item.  False: stop.
    ready: SimpleQueue[list[Item] | _End] = SimpleQueue()
    stopping: list[bool] = []  # filled to overtake the permits that are waiting

    def produce() -> None:
        end = _End(None)
        try:
            iterator = iter(items)
            try:
                while permits.get() and not stopping:
                    try:
                        # A list, so that the item can be taken out: no name here keeps it alive.
                        ready.put([next(iterator)])
                    except StopIteration:
                        break
            finally:
                if close := getattr(iterator, "close", None):
                    close()
        except BaseException as error:  # whatever it is, the consumer raises it
            end = _End(error)
        ready.put(end)

    for _ in range(depth):
        permits.put(True)
    thread = Thread(target=produce, name="mailscope-read-ahead", daemon=True)
    try:
        thread.start()
        while not isinstance(got := ready.get(), _End):
            permits.put(True)
            yield got.pop()
        if got.error is not None:
            raise got.error
    finally:
        stopping.append(True)
        permits.put(False)
        if thread.is_alive():
            thread.join(_PATIENCE_S)


class _End:
    """The iterator has ended, by itself or by an error."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error
