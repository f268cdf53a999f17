"""Work that others want done in the daemon's own thread, between two batches, one piece at a time."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import Any, Final, Protocol, TypeVar

from mailscope.store.database import Database, Queries
from mailscope.store.refusals import StoreError

Result = TypeVar("Result")
PATIENCE_S: Final = 60.0
ALIVE_S: Final = 5.0
# Those who look at the store are waited for so long before it is closed for a moment.
ALONE_S: Final = 60.0


class Between:
    """A queue of pieces of work.

    ``wake``: ends the sleep of the thread that does them; ``alive``: says that a long one is being done.
    """

    def __init__(self) -> None:
        self.wake: Callable[[], None] = lambda: None
        self.alive: Callable[[], None] = lambda: None
        self._waiting: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._closed = ""

    def __len__(self) -> int:
        return len(self._waiting)

    def do(self, work: Callable[[], Result], patience_s: float = PATIENCE_S) -> Result:
        """Have it done, from another thread; raises what it raises.

        Raises StoreError where it is not begun in time, as when the store cannot be written.
        """
        done: Future[Result] = Future()
        if self._closed:
            raise StoreError(self._closed, "the daemon", "run it again")
        self._waiting.append((work, done))
        self.wake()
        until = time.monotonic() + patience_s
        while not wait([done], min(ALIVE_S, patience_s)).done:
            if done.running():
                # However long it takes.
                self.alive()
            elif time.monotonic() > until and done.cancel():
                raise StoreError(
                    "the daemon cannot get to it now", "the store", "see 'mailscope store status'"
                )
        return done.result()

    def one(self) -> BaseException | None:
        """Do the first of them; what it raised."""
        work, done = self._waiting.popleft()
        if not done.set_running_or_notify_cancel():
            return None
        try:
            done.set_result(work())
        except Exception as error:
            done.set_exception(error)
            return error
        return None

    def close(self) -> None:
        """Refuse all that is not done: the daemon ends."""
        self._closed = "the daemon ends"
        while self._waiting:
            _, done = self._waiting.popleft()
            if done.set_running_or_notify_cancel():
                done.set_exception(StoreError(self._closed, "the daemon", "run it again"))


class Looking:
    """Who looks at the store just now, so that it can be closed for a moment when nobody does."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0
        self._shut = False

    @contextmanager
    def one(self) -> Iterator[None]:
        """Somebody looks; waits where nobody may."""
        with self._changed:
            self._changed.wait_for(lambda: not self._shut)
            self._count += 1
        try:
            yield
        finally:
            with self._changed:
                self._count -= 1
                self._changed.notify_all()

    @contextmanager
    def nobody(self) -> Iterator[None]:
        """Nobody looks meanwhile.  Raises StoreError where somebody does not come to an end."""
        with self._changed:
            self._changed.wait_for(lambda: not self._shut)
            self._shut = True
            alone = self._changed.wait_for(lambda: not self._count, ALONE_S)
        try:
            if not alone:
                raise StoreError("others ask it just now and do not end", "the store", "run it again later")
            yield
        finally:
            with self._changed:
                self._shut = False
                self._changed.notify_all()


class Holder(Protocol):
    """Who has the store open: it may be another ``database`` after a while."""

    database: Database
    looking: Looking


class Shared:
    """The store for those who look at it while the daemon has it: what a ``Reader`` needs of a database."""

    def __init__(self, holder: Holder) -> None:
        self._holder = holder

    def __getattr__(self, name: str) -> Any:
        """What is asked over the writer's own connection: for those who hold its lock."""
        return getattr(self._holder.database, name)

    @contextmanager
    def snapshot(self, **how: Any) -> Iterator[Queries]:
        """The store as it is now; waits where it is closed for a moment."""
        with self._holder.looking.one(), self._holder.database.snapshot(**how) as looking:
            yield looking

    def close(self) -> None:
        """Nothing: it is the daemon's."""
