"""Records of logins (utmp, wtmp, btmp) as the lines that they stand for (``host/layouts/lines.py``).

In: a source's bytes, some at a time.  Out: the same bytes, or lines where they begin as records of logins do;
nothing after this has to know of records.  Damaged records are left out, counted and told at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mailscope.host.layouts.lines import Lines, holds_refusals
from mailscope.host.layouts.utmp import LOOKED_AT, may_begin, sniff
from mailscope.intake.exported import ReadInto
from mailscope.intake.unpacking import DamageError

_BLOCK_BYTES: Final = 256 << 10
_LARGEST_RECORD: Final = 400
_SNIFFED_BYTES: Final = 4


class RecordsDamagedError(DamageError):
    """Records of logins were left out, or the last one is cut; the text says how many and where."""


def as_lines(readinto: ReadInto, name: str, found: Callable[[], None]) -> ReadInto:
    """The same bytes; where they are records of logins, lines.

    In: ``name``, the file's, as it may tell btmp; ``found``, which is called where they are records.
    """
    through: ReadInto | None = None

    def read(view: memoryview) -> int:
        nonlocal through
        if through is not None:
            return through(view)
        head = _head(readinto, min(_SNIFFED_BYTES, len(view)))
        if may_begin(head):
            head += _head(readinto, LOOKED_AT * _LARGEST_RECORD - len(head))
            if layout := sniff(head):
                found()
                through = _Reading(readinto, head, Lines(layout, refusals=holds_refusals(name))).readinto
                return through(view)
        through = _Again(readinto, head).readinto if head else readinto
        return through(view)

    return read


def _head(readinto: ReadInto, size: int) -> bytes:
    """So many bytes, or fewer at the end."""
    head = bytearray(size)
    fill = 0
    with memoryview(head) as view:
        while fill < size and (count := readinto(view[fill:])):
            fill += count
    return bytes(head[:fill])


class _Again:
    """Bytes that were looked at, and what follows them."""

    def __init__(self, source: ReadInto, ahead: bytes) -> None:
        self._source = source
        self._ahead = ahead

    def readinto(self, view: memoryview) -> int:
        """Be a ReadInto."""
        if not self._ahead:
            return self._source(view)
        given, self._ahead = self._ahead[: len(view)], self._ahead[len(view) :]
        view[: len(given)] = given
        return len(given)


class _Reading:
    """Records that are read to their end."""

    def __init__(self, source: ReadInto, begun: bytes, lines: Lines) -> None:
        self._source = source
        self._lines = lines
        self._ready = memoryview(lines.feed(begun))
        self._ended = self._told = False

    def readinto(self, view: memoryview) -> int:
        """Be a ReadInto; raises DamageError at the end, where records were left out."""
        while not self._ready:
            if self._ended:
                return self._end()
            block = bytearray(_BLOCK_BYTES)
            with memoryview(block) as room:
                count = self._source(room)
            self._ended = not count
            self._ready = memoryview(self._lines.feed(bytes(block[:count])))
        given, self._ready = self._ready[: len(view)], self._ready[len(view) :]
        view[: len(given)] = given
        return len(given)

    def _end(self) -> int:
        lines = self._lines
        if self._told:
            return 0
        self._told = True
        if lines.damaged:
            raise RecordsDamagedError(
                f"{lines.damaged} of {lines.records} records of logins are damaged and left out, "
                f"the first at byte {lines.first_damage}"
            )
        if lines.cut_bytes:
            raise RecordsDamagedError(f"the last record is cut: {lines.cut_bytes} bytes of it are there")
        return 0
