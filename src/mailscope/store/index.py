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
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import compress, count, pairwise, repeat
from operator import add, eq
from pathlib import Path
from typing import Final
from zlib import crc32

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
MANY: Final = 20
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


class Sought:
    """Numbers to look up in many indexes."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._numbers = tuple(numbers)
        self._split: dict[int, tuple[list[int], list[int]]] = {}

    def split(self, bits: int) -> tuple[list[int], list[int]]:
        """The buckets and entries of all, where an index has so many bits."""
        if bits not in self._split:
            buckets = [number >> (64 - bits) for number in self._numbers]
            self._split[bits] = buckets, [number >> (32 - bits) & NEXT for number in self._numbers]
        return self._split[bits]


class Index:
    """An index whose head is read; a bucket is read when it is asked for, and checked the first time."""

    def __init__(self, path: Path) -> None:
        """Raises OSError where it cannot be read, DamagedIndexError where it is damaged."""
        self._path = path
        with self._opened() as file:
            head = os.pread(file, 8192, 0)
            if len(head) < HEADER.size or not head.startswith(MAGIC):
                raise DamagedIndexError("it does not begin as an index does")
            *_, bits, many, total = fields = HEADER.unpack_from(head)
            if bits > MOST_BITS:
                raise DamagedIndexError("its head was changed")
            self._begin = HEADER.size + 4 * (2 * (1 << bits) + 1)
            if len(head) < self._begin:
                head = os.pread(file, self._begin, 0)
            size = os.fstat(file).st_size
        directory = head[HEADER.size : self._begin]
        if crc32(directory, crc32(head[: HEADER.size - 4])) != total:
            raise DamagedIndexError("its head was changed")
        if size != self._begin + 4 * many:
            raise DamagedIndexError("it has another size")
        self.secret, self.checksum = fields[1], fields[2].hex()
        self._bits = bits
        self._directory = _numbers(directory)
        # Which buckets were as they were written when they were read first.
        self._agreed = bytearray(1 << bits)

    def among(self, sought: Sought) -> list[int]:
        """The places, among numbers that are sought, of those that it has.

        Raises OSError or DamagedIndexError.
        """
        buckets, entries = sought.split(self._bits)
        with self._opened() as file:
            if len(entries) < MANY:
                return [
                    at for at, (bucket, entry) in enumerate(zip(buckets, entries, strict=True))
                    if _has(self._bucket(file, bucket), entry)
                ]  # fmt: skip
            data = self._entries(file, 0, self._directory[1 << self._bits])
        # All is read at once, and the loops over the numbers are those of C.
        begins = list(map(self._directory.__getitem__, buckets))
        ends = list(map(self._directory.__getitem__, map(add, buckets, repeat(1))))
        for bucket, begin, end in zip(buckets, begins, ends, strict=True):
            if not self._agreed[bucket]:
                self._agree(bucket, data[4 * begin : 4 * end])
        there = _numbers(data)
        places = list(map(bisect_left, repeat(there), entries, begins, ends))
        there.append(0)
        same = map(eq, map(there.__getitem__, places), entries)
        return [at for at in compress(count(), same) if places[at] < ends[at]]

    def check(self) -> None:
        """Read all of it.  Raises OSError or DamagedIndexError."""
        self._agreed = bytearray(1 << self._bits)
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

    def _bucket(self, file: int, bucket: int) -> array[int]:
        begin, end = self._directory[bucket], self._directory[bucket + 1]
        data = self._entries(file, begin, end)
        if not self._agreed[bucket]:
            self._agree(bucket, data)
        return _numbers(data)

    def _entries(self, file: int, begin: int, end: int) -> bytes:
        data = os.pread(file, 4 * (end - begin), self._begin + 4 * begin)
        if len(data) < 4 * (end - begin):
            raise DamagedIndexError("it has another size")
        return data

    def _agree(self, bucket: int, data: bytes) -> None:
        if crc32(data) != self._directory[(1 << self._bits) + 1 + bucket]:
            raise DamagedIndexError("its contents were changed")
        self._agreed[bucket] = 1


def _next(numbers: pl.Series, bits: int) -> pl.Series:
    """Entries of numbers: what follows their highest bits."""
    return (numbers // (1 << (32 - bits)) & NEXT).cast(pl.UInt32)


def _has(entries: array[int], entry: int) -> bool:
    at = bisect_left(entries, entry)
    return at < len(entries) and entries[at] == entry


def _numbers(data: bytes) -> array[int]:
    found = array("I", data)
    if sys.byteorder == "big":
        found.byteswap()
    return found


def _bytes(numbers: array[int]) -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()
