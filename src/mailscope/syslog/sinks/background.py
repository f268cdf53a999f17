"""A sink with a thread and a queue of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from mailscope.syslog.record import Record

# Batches that wait at most, each of up to some hundred messages; then messages are lost, and counted.
_BATCHES: Final = 1000
_LEAVE_S: Final = 5.0


class _Sink(Protocol):
    def write(self, records: Sequence[Record]) -> None: ...
    def reopen(self) -> None: ...
    def close(self) -> None: ...


class Background:
    """Another sink, written to by its own thread."""

    def __init__(self, inner: _Sink, name: str, say: Callable[[str], None]) -> None:
        self._inner, self._name, self._say = inner, name, say
        self._queue: queue.Queue[Sequence[Record] | None] = queue.Queue(_BATCHES)
        self._lost = 0
        self._reopen = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"syslog {name}", daemon=True)
        self._thread.start()

    def write(self, records: Sequence[Record]) -> None:
        """Put messages into the queue; does not wait."""
        try:
            self._queue.put_nowait(records)
        except queue.Full:
            if not self._lost:
                self._say(f"{self._name}: does not keep up; messages are lost")
            self._lost += len(records)
        else:
            if self._lost:
                self._say(f"{self._name}: keeps up again; {self._lost} messages were lost")
                self._lost = 0

    def reopen(self) -> None:
        """Have it opened anew before the next message."""
        self._reopen.set()

    def close(self) -> None:
        """Write what waits, for some seconds, and let go."""
        try:
            self._queue.put(None, timeout=_LEAVE_S)
        except queue.Full:
            return
        self._thread.join(_LEAVE_S)

    def _run(self) -> None:
        while (records := self._queue.get()) is not None:
            if self._reopen.is_set():
                self._reopen.clear()
                self._inner.reopen()
            self._inner.write(records)
        self._inner.close()
