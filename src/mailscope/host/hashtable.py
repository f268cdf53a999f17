"""The order in which GNU acct's hash table (hashtab.c) hands out its entries: ac and sa print in it.

A table of 7 buckets that grows to four times its size when it is more than 60 % full; a new entry comes first
in its bucket.  The hash is that of characters with sign, modulo 2**64.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Generic, TypeVar

import numpy as np

Value = TypeVar("Value")

FIRST_SIZE: Final = 7
GROWTH: Final = 4
FULL: Final = 0.6
_WORD: Final = (1 << 64) - 1


def hashed(key: bytes) -> int:
    """The hash of a key, before it is taken modulo the size of the table."""
    value = 0
    for byte in key:
        value = (byte - 256 if byte > 127 else byte) + 31 * value & _WORD
    return value


class Table(Generic[Value]):
    """A hash table of GNU acct, whose order is that of its buckets."""

    def __init__(self) -> None:
        self._size = FIRST_SIZE
        # Of each bucket that is not empty, the keys, the newest last.
        self._buckets: dict[int, list[bytes]] = {}
        self._values: dict[bytes, Value] = {}
        self._hashes: dict[bytes, int] = {}

    def get(self, key: bytes) -> Value | None:
        """The value of a key; None where there is none."""
        return self._values.get(key)

    def put(self, key: bytes, value: Value) -> None:
        """Enter or change a key's value."""
        known = key in self._values
        self._values[key] = value
        if not known:
            number = self._hashes.setdefault(key, hashed(key))
            self._buckets.setdefault(number % self._size, []).append(key)
            if len(self._values) > int(self._size * FULL):
                self._grow()

    def remove(self, key: bytes) -> None:
        """Take a key out."""
        del self._values[key]
        self._buckets[self._hashes.pop(key) % self._size].remove(key)

    def clear(self) -> None:
        """Take all keys out; the table keeps its size."""
        self._buckets, self._values, self._hashes = {}, {}, {}

    def items(self) -> Iterator[tuple[bytes, Value]]:
        """All keys with their values, in the order of the table, as it is now."""
        for key in [key for bucket in sorted(self._buckets) for key in reversed(self._buckets[bucket])]:
            yield key, self._values[key]

    def _grow(self) -> None:
        old = [key for bucket in sorted(self._buckets) for key in reversed(self._buckets[bucket])]
        self._size *= GROWTH
        self._buckets = {}
        for key in old:
            self._buckets.setdefault(self._hashes[key] % self._size, []).append(key)


def order(keys: Sequence[bytes]) -> list[int]:
    """In which order distinct keys of one length that are entered in turn come out: their numbers.

    The hashes of many keys are made at once.
    """
    if not keys:
        return []
    matrix = np.frombuffer(b"".join(keys), dtype=np.int8).reshape(len(keys), -1)
    hashes = np.zeros(len(keys), dtype=np.uint64)
    for place in range(matrix.shape[1]):
        hashes = hashes * np.uint64(31) + matrix[:, place].astype(np.int64).view(np.uint64)
    size, buckets = FIRST_SIZE, dict[int, list[int]]()
    full = hashes.tolist()
    for number in range(len(keys)):
        buckets.setdefault(full[number] % size, []).append(number)
        if number + 1 > int(size * FULL):
            old = [each for bucket in sorted(buckets) for each in reversed(buckets[bucket])]
            size *= GROWTH
            buckets = {}
            for each in old:
                buckets.setdefault(full[each] % size, []).append(each)
    return [each for bucket in sorted(buckets) for each in reversed(buckets[bucket])]
