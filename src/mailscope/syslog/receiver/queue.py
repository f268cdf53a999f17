"""Lines that wait between the thread that receives them and the daemon that stores them."""

from __future__ import annotations

import threading
from collections import deque
from typing import NamedTuple


class Batch(NamedTuple):
    """Some lines of one source, each with its line feed, and how many they are."""

    source: str
    data: bytes
    lines: int


class Queue:
    """First in, first out, bounded in bytes.

    What is put in is always kept; who puts learns when it is full, and then puts nothing more until half of
    it has been taken.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._lock = threading.Lock()
        self._batches: deque[Batch] = deque()
        self._bytes = 0
        self._full = False

    def limit(self, most_bytes: int) -> None:
        """Be bounded otherwise from now on."""
        self._most = most_bytes

    @property
    def waiting_bytes(self) -> int:
        """How much waits."""
        return self._bytes

    @property
    def full(self) -> bool:
        """Whether those who put lines in are waiting."""
        return self._full

    def put(self, batch: Batch) -> bool:
        """Keep these lines; False if it is full now."""
        with self._lock:
            self._batches.append(batch)
            self._bytes += len(batch.data)
            self._full = self._full or self._bytes >= self._most
            return not self._full

    def take(self, limit_bytes: int) -> tuple[list[Batch], bool]:
        """At most about so many bytes, at least one batch if there is one; True if there is room again."""
        out: list[Batch] = []
        with self._lock:
            left = limit_bytes
            while self._batches and left > 0:
                batch = self._batches.popleft()
                out.append(batch)
                left -= len(batch.data)
                self._bytes -= len(batch.data)
            room = self._full and self._bytes <= self._most // 2
            if room:
                self._full = False
        return out, room
