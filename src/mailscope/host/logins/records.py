"""Files of logins as tables of records: any layout, any place, damaged records skipped and counted.

In: utmp, wtmp or btmp, plain or packed.  Out: blocks of records, forwards or backwards, in one table whatever
the layout.  Damaged is a record with a type that does not exist, with bytes between its type and the process,
or with a second of a million parts and more. Where bytes were lost in the middle, so that all after them
makes no sense, reading goes on at the next place where two records in a row make sense.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from mailscope.host.binary import Binary
from mailscope.host.layouts.utmp import (
    EMPTY,
    LAYOUTS,
    LOOKED_AT,
    MOST_TYPE,
    Layout,
    Record,
    sniff,
    unpack,
)
from mailscope.vocabulary.errors import InputError

Records = npt.NDArray[np.void]

BLOCK_RECORDS: Final = 1 << 15
_WINDOW_BYTES: Final = 1 << 16
_MILLION: Final = 1_000_000
_FIRST_S: Final = 100_000_000  # in 1973; before that nobody wrote such records
_END_S: Final = 1 << 34  # in 2514
_DTYPES: Final = {"h": "i2", "H": "u2", "i": "i4", "I": "u4", "q": "i8"}


@dataclass(frozen=True, slots=True)
class Run:
    """Whole records that follow each other."""

    offset: int
    count: int


class LoginFile:
    """An open file of logins.

    Raises InputError where it cannot be read, or holds no records of logins.  An empty file has no records.
    ``problems`` tells what was skipped.
    """

    def __init__(self, path: str) -> None:
        self.binary = Binary(path)
        self.name = self.binary.name
        self.runs: list[Run] = []
        self.skipped_records = self.skipped_bytes = 0
        self._first_skipped = -1
        layout = sniff(self.binary.read(0, LOOKED_AT * 400))
        if layout is None and not self._is_empty():
            self.binary.close()
            raise InputError("it holds no records of logins", self.name, "name a utmp, wtmp or btmp file")
        self.layout = layout or LAYOUTS[0]
        self.dtype = dtype_of(self.layout)
        self._scanned = False

    @property
    def count(self) -> int:
        """How many records there are."""
        self._look()
        return sum(run.count for run in self.runs)

    @property
    def problems(self) -> list[InputError]:
        """What was damaged or skipped."""
        self._look()
        out = list(self.binary.problems)
        if self.skipped_records or self.skipped_bytes:
            what = f"{self.skipped_records} damaged records and {self.skipped_bytes} other bytes skipped"
            out.append(InputError(f"{what}, the first at byte {self._first_skipped}", self.name))
        return out

    def blocks(self) -> Iterator[Records]:
        """The records, in the file's order."""
        if not self._scanned:
            # What is damaged is found while it is read for the first time.
            self._forget()
            yield from self._scan()
            return
        for run in self.runs:
            for start in range(0, run.count, BLOCK_RECORDS):
                yield self._read(run.offset + start * self.layout.size, min(BLOCK_RECORDS, run.count - start))

    def backwards(self) -> Iterator[Records]:
        """The same blocks, the last one first, with their records turned round."""
        self._look()
        for run in reversed(self.runs):
            for start in reversed(range(0, run.count, BLOCK_RECORDS)):
                yield self._read(
                    run.offset + start * self.layout.size, min(BLOCK_RECORDS, run.count - start)
                )[::-1]

    def close(self) -> None:
        """Let go of the file."""
        self.binary.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _is_empty(self) -> bool:
        """No byte, or none but zeros (a utmp file that was made anew)."""
        return all(
            not any(self.binary.read(at, _WINDOW_BYTES))
            for at in range(0, min(self.binary.size, 16 << 20), _WINDOW_BYTES)
        )

    def _read(self, offset: int, count: int) -> Records:
        return np.frombuffer(self.binary.read(offset, count * self.layout.size), dtype=self.dtype)

    def _look(self) -> None:
        """Find the runs of sound records, if that was not done yet."""
        if not self._scanned:
            self._forget()
            for _block in self._scan():
                pass

    def _forget(self) -> None:
        self.runs.clear()
        self.skipped_records = self.skipped_bytes = 0
        self._first_skipped = -1

    def _scan(self) -> Iterator[Records]:
        """The sound records, which are noted in runs."""
        size, at = self.layout.size, 0
        end = self.binary.size
        while at + size <= end:
            block = self._read(at, min(BLOCK_RECORDS, (end - at) // size))
            if not len(block):
                break  # it was shortened meanwhile
            wrong = np.flatnonzero(damaged(block))
            sound = int(wrong[0]) if len(wrong) else len(block)
            beside = self._beside(at, block[:sound])
            if beside is not None:
                sound, place = beside
            self._add(at, sound)
            if sound:
                yield block[:sound]
            at += sound * size
            if beside is not None:
                self._note(at)
                self.skipped_bytes += place - at
                at = place
            elif len(wrong):
                at = self._skip(at)
        if 0 < end - at < size:
            self._note(at)
            self.skipped_bytes += end - at
        self._scanned = True

    def _beside(self, at: int, block: Records) -> tuple[int, int] | None:
        """Where bytes were lost: the first record that is beside its place, and where records go on.

        Such a record looks like one without a type that names somebody, as old programs wrote them; but
        records that have a type begin within it.
        """
        untyped = np.flatnonzero((block["type"] == EMPTY) & ~_nameless(block))
        if not len(untyped):
            return None
        size, first = self.layout.size, int(untyped[0])
        # They may have begun before it, within what was read as records of another kind.
        begin = max(at + first * size - size, at) + 1
        place = self._place(self.binary.read(begin, 4 * size))
        if place is None or (begin + place - at) % size == 0:
            return None
        return max((begin + place - at) // size, 0), begin + place

    def _add(self, offset: int, count: int) -> None:
        last = self.runs[-1] if self.runs else None
        if last and last.offset + last.count * self.layout.size == offset:
            self.runs[-1] = Run(last.offset, last.count + count)
        elif count:
            self.runs.append(Run(offset, count))

    def _skip(self, at: int) -> int:
        """Where to go on after a damaged record."""
        size = self.layout.size
        self._note(at)
        following = self.binary.read(at + size, size)
        if len(following) < size or self._is_sound(following):
            self.skipped_records += 1
            return at + size
        begin = at
        while at < self.binary.size:
            window = self.binary.read(at, _WINDOW_BYTES + 2 * size)
            place = self._place(window)
            if place is not None and place < _WINDOW_BYTES:
                at += place
                break
            at = min(at + _WINDOW_BYTES, self.binary.size)
        lost = at - begin
        self.skipped_records += lost // size
        self.skipped_bytes += lost % size
        return at

    def _place(self, window: bytes) -> int | None:
        """The first place in some bytes at which two records in a row, or the last one, make sense."""
        size = self.layout.size
        raw = np.frombuffer(window, dtype=np.uint8)
        if len(raw) < size:
            return None
        low, high = (0, 1) if self.layout.order == "<" else (1, 0)
        span = len(raw) - size + 1
        kind = raw[low : low + span]
        starts = (kind >= 1) & (kind <= MOST_TYPE) & (raw[high : high + span] == 0)
        starts &= (raw[2 : 2 + span] == 0) & (raw[3 : 3 + span] == 0)
        for place in np.flatnonzero(starts)[:1000]:
            one = window[place : place + size]
            two = window[place + size : place + 2 * size]
            if sniff(one) == self.layout and (len(two) < size or self._is_sound(two)):
                return int(place)
        return None

    def _is_sound(self, data: bytes) -> bool:
        return not damaged(np.frombuffer(data, dtype=self.dtype)).any()

    def _note(self, at: int) -> None:
        if self._first_skipped < 0:
            self._first_skipped = at


def dtype_of(layout: Layout) -> np.dtype[np.void]:
    """The table's type for a layout, made of the same fields."""
    fields: list[tuple[str, Any]] = []
    for name, code in layout.codes:
        text = f"S{code[:-1]}" if code.endswith("s") and name != "address" else ""
        fields.append((name, text or ("V16" if name == "address" else layout.order + _DTYPES[code])))
    used = np.dtype(fields).itemsize
    return np.dtype([*fields, ("unused", f"V{layout.size - used}")])


def damaged(block: Records) -> npt.NDArray[np.bool_]:
    """Which records hold what no program writes."""
    kind, parts = block["type"], block["microseconds"]
    odd = (kind < 0) | (kind > MOST_TYPE) | (block["padding"] != 0) | (parts < 0) | (parts >= _MILLION)
    # A time that cannot be stands a few bytes beside its place.
    odd |= block["seconds"] >= _END_S
    # An empty record that names nothing, or has a time that cannot be, is all zeros; where it is not, bytes
    # were lost before it.
    empty = np.flatnonzero((kind == EMPTY) & (_nameless(block) | (block["seconds"] < _FIRST_S)))
    if len(empty):
        raw = np.ascontiguousarray(block[empty]).view(np.uint8).reshape(len(empty), block.dtype.itemsize)
        odd[empty] |= raw.any(axis=1)
    return np.asarray(odd)


def _nameless(block: Records) -> npt.NDArray[np.bool_]:
    """Which records name neither a line nor a user."""
    return np.asarray((block["line"].astype("S1") == b"") & (block["user"].astype("S1") == b""))


def each(file: LoginFile) -> Iterator[Record]:
    """The records one by one, in the file's order."""
    for block in file.blocks():
        data = block.tobytes()
        for number in range(len(block)):
            yield unpack(file.layout, data, number * file.layout.size)
