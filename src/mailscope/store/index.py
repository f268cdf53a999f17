"""The index of a sealed file: which names its lines bear, so that a search opens only files that have them.

It lies beside the file, ``part-NNNNNN.names``, and is made with it.  Little-endian:

    8    MAGIC
    8    which secret the numbers are made with: what stands for KEYED under it
    32   SHA-256 of the sealed file
    4    bits: numbers are in 2**bits buckets, by their highest bits
    4    how many numbers
    4    CRC-32 of what stands before, and of the directory
    4 (2**bits + 1)    directory: where each bucket begins, and the end, counted in numbers
    4 (2**bits)        CRC-32 of each bucket
    4 each             the next 32 bits of each number, ascending in each bucket

So a look-up reads the directory and one bucket, and a number counts with bits + 32 bits.  An index that is of
another file or secret, or damaged, is of no use: then the file is looked through as if there were none.
"""

from __future__ import annotations

import os
import struct
import sys
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt
import polars as pl

from mailscope.store.names import Numbers

SUFFIX: Final = ".names"
MAGIC: Final = b"MSNAMES1"
KEYED: Final = ("", "secret")
HEADER: Final = struct.Struct("<8s8s32sIII")
# Numbers in a bucket, about; a thousand bytes are read at once.
BUCKET: Final = 256
MOST_BITS: Final = 20
# From so many numbers on, all of an index is read.
MANY: Final = 100
NEXT: Final = 0xFFFF_FFFF


class DamagedIndexError(Exception):
    """An index is not as it was written."""


def place_of(path: Path) -> Path:
    """Where the index of a sealed file is."""
    return path.with_suffix(SUFFIX)


def fingerprint(numbers: Numbers) -> bytes:
    """What tells one secret from another and does not give it away."""
    return struct.pack("<Q", *numbers.of(KEYED[0], KEYED[1:]))


def packed(found: pl.Series, numbers: Numbers, checksum: str) -> bytes:
    """An index of numbers (UInt64) for the sealed file with a SHA-256."""
    found = found.unique().sort()
    bits = min(max((len(found) // BUCKET).bit_length(), 1), MOST_BITS)
    bucket = (found // (1 << (64 - bits))).cast(pl.UInt32)
    begins = bucket.search_sorted(pl.Series(range((1 << bits) + 1), dtype=pl.UInt32), side="left").to_list()
    entries = _bytes(array("I", _next(found, bits).to_list()))
    sums = [crc32(entries[4 * a : 4 * b]) for a, b in pairwise(begins)]
    directory = _bytes(array("I", [*begins, *sums]))
    fields = (MAGIC, fingerprint(numbers), bytes.fromhex(checksum), bits, len(found))
    total = crc32(directory, crc32(HEADER.pack(*fields, 0)[:-4]))
    return HEADER.pack(*fields, total) + directory + entries


class Index:
    """An index whose head is read; its buckets are read when numbers are looked up."""

    def __init__(self, path: Path) -> None:
        """Raises OSError where it cannot be read, DamagedIndexError where it is damaged."""
        self._path = path
        with self._opened() as file:
            head = os.pread(file, 8192, 0)
            if len(head) < HEADER.size or not head.startswith(MAGIC):
                raise DamagedIndexError("it does not begin as an index does")
            *_, bits, count, total = fields = HEADER.unpack_from(head)
            if bits > MOST_BITS:
                raise DamagedIndexError("its head was changed")
            self._begin = HEADER.size + 4 * (2 * (1 << bits) + 1)
            if len(head) < self._begin:
                head = os.pread(file, self._begin, 0)
            size = os.fstat(file).st_size
        directory = head[HEADER.size : self._begin]
        if crc32(directory, crc32(head[: HEADER.size - 4])) != total:
            raise DamagedIndexError("its head was changed")
        if size != self._begin + 4 * count:
            raise DamagedIndexError("it has another size")
        self.secret, self.checksum = fields[1], fields[2].hex()
        self._bits = bits
        self._directory = _numbers(directory)

    def kinds(self, sought: Mapping[str, Collection[int]]) -> list[str]:
        """The kinds of which it has any number.  Raises OSError or DamagedIndexError."""
        with self._opened() as file:
            if sum(map(len, sought.values())) < MANY:
                return [
                    kind for kind, those in sought.items() if any(self._has(file, each) for each in those)
                ]
            there = self._have(
                file, np.array([each for those in sought.values() for each in those], np.uint64)
            )
        ends = np.cumsum([len(those) for those in sought.values()])
        return [
            kind for (kind, those), end in zip(sought.items(), ends, strict=True)
            if there[end - len(those) : end].any()
        ]  # fmt: skip

    def check(self) -> None:
        """Read all of it.  Raises OSError or DamagedIndexError."""
        with self._opened() as file:
            for bucket in range(1 << self._bits):
                self._bucket(file, bucket)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield file
        finally:
            os.close(file)

    def _has(self, file: int, number: int) -> bool:
        entries = self._bucket(file, number >> (64 - self._bits))
        entry = number >> (32 - self._bits) & NEXT
        at = bisect_left(entries, entry)
        return at < len(entries) and entries[at] == entry

    def _have(self, file: int, numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
        """Which of many numbers are in it: all of it is read, and all are looked up at once."""
        buckets, count = 1 << self._bits, self._directory[1 << self._bits]
        data = os.pread(file, 4 * count, self._begin)
        if len(data) < 4 * count:
            raise DamagedIndexError("it has another size")
        if not count:
            return np.zeros(len(numbers), np.bool_)
        entries = np.frombuffer(data, np.dtype("<u4"))
        begins = np.array(self._directory[: buckets + 1], np.int64)
        bucket = (numbers >> np.uint64(64 - self._bits)).astype(np.int64)
        for each in np.unique(bucket).tolist():
            self._agree(each, data[4 * self._directory[each] : 4 * self._directory[each + 1]])
        mine = (numbers >> np.uint64(32 - self._bits)).astype(np.uint32)
        low, high = begins[bucket], begins[bucket + 1]
        ends = high
        # All of them halve the entries in which they may be, until nothing is left to halve.
        while (left := low < high).any():
            middle = (low + high) // 2
            less = left & (entries[np.minimum(middle, count - 1)] < mine)
            low, high = np.where(less, middle + 1, low), np.where(left & ~less, middle, high)
        found: npt.NDArray[np.bool_] = (low < ends) & (entries[np.minimum(low, count - 1)] == mine)
        return found

    def _bucket(self, file: int, bucket: int) -> array[int]:
        begin, end = self._directory[bucket], self._directory[bucket + 1]
        data = os.pread(file, 4 * (end - begin), self._begin + 4 * begin)
        self._agree(bucket, data)
        return _numbers(data)

    def _agree(self, bucket: int, data: bytes) -> None:
        if crc32(data) != self._directory[(1 << self._bits) + 1 + bucket]:
            raise DamagedIndexError("its contents were changed")


def _next(numbers: pl.Series, bits: int) -> pl.Series:
    """Entries of numbers: what follows their highest bits."""
    return (numbers // (1 << (32 - bits)) & NEXT).cast(pl.UInt32)


def _numbers(data: bytes) -> array[int]:
    found = array("I", data)
    if sys.byteorder == "big":
        found.byteswap()
    return found


def _bytes(numbers: array[int]) -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()
