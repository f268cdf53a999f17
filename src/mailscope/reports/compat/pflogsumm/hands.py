"""Chunks are taken apart here and, where a log is large, in a second process beside.

Whoever is free takes the next chunk, so it makes no difference what a log is read from, how it is packed, or
how many files it is in.  What chunks come to is given in their order.
"""

from __future__ import annotations

import gc
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final, Self

from mailscope.second_process import SecondProcess

if TYPE_CHECKING:
    from mailscope.reports.compat.pflogsumm.options import Settings
    from mailscope.reports.compat.pflogsumm.picked import Done

# Less text is read before a second process is ready.
ENOUGH_BYTES: Final = 24 << 20
# A chunk for each, and one that waits.
_AHEAD: Final = 3

Hand = Callable[[bytes, int], "Done"]


class Hands:
    """Takes chunks apart, by ``own`` in this process, and beside it once there is enough text.

    Leaving the context ends the second process.
    """

    def __init__(self, settings: Settings, own: Hand, enough_bytes: int = ENOUGH_BYTES) -> None:
        self._settings = settings
        self._own = own
        self._enough_bytes = enough_bytes
        self._free: SimpleQueue[Hand] = SimpleQueue()
        self._free.put(own)
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        self._pool = self._opened.enter_context(ThreadPoolExecutor(2))
        return self

    def __exit__(self, *unused: object) -> None:
        self._opened.close()

    def in_order(self, chunks: Iterable[bytes]) -> Iterator[Done]:
        """Take chunks apart, and give what each came to."""
        waiting: deque[Future[Done]] = deque()
        begun, seen = False, 0
        for number, chunk in enumerate(chunks):
            seen += len(chunk)
            if not begun and seen > self._enough_bytes and (os.cpu_count() or 1) > 1:
                self._begin()
                begun = True
            waiting.append(self._pool.submit(self._take, chunk, number))
            # No more chunks in memory than there are hands for.
            if len(waiting) >= _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _take(self, chunk: bytes, number: int) -> Done:
        hand = self._free.get()
        try:
            return hand(chunk, number)
        finally:
            self._free.put(hand)

    def _begin(self) -> None:
        """Start the second process."""
        pipe = self._opened.enter_context(SecondProcess(serve)).pipe

        def beside(chunk: bytes, number: int) -> Done:
            try:
                pipe.send((chunk, number))
                done: Done = pipe.recv()
            except (EOFError, OSError):
                # It has ended (killed for want of memory, perhaps): what it had is done here.
                return self._own(chunk, number)
            return done

        pipe.send(self._settings)
        self._free.put(beside)


def serve(pipe: Connection) -> None:
    """The second process: take apart what comes, until nothing more does."""
    # Before Polars is imported: a process of two needs no threads besides.
    os.environ["POLARS_MAX_THREADS"] = "1"
    from mailscope.reports.compat.pflogsumm.reading import reader_of, take_apart

    gc.disable()
    settings = pipe.recv()
    reader = reader_of(settings)
    while True:
        try:
            chunk, number = pipe.recv()
        except EOFError:
            return
        pipe.send(take_apart(chunk, number, reader, settings))
