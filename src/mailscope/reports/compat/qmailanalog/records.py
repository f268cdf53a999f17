"""Records and fields as awk sees them: a block of lines at a time, in constant memory.

In: a binary stream, read in blocks.  Out: records (lines without their line break; the last one may lack
it), or their fields.  With awk's default FS, spaces, tabs and line breaks part fields, and nothing else
does.  Source: POSIX awk, "Variables and Special Variables" (FS, RS).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, Protocol

BLOCK_BYTES: Final = 1 << 17
# A delivery line has the most fields: what a record has less of is empty.
MOST_FIELDS: Final = 11
# bytes.split() parts at these as well; awk does not.
OTHER_BLANKS: Final = re.compile(rb"[\r\x0b\x0c]")
FIELD: Final = re.compile(rb"[^ \t\n]+")

Record = list[bytes]


class Readable(Protocol):
    """What bytes are read from: as soon as there are some, ``read1`` gives them."""

    def read1(self, size: int = -1, /) -> bytes:
        """Up to so many bytes; none at the end."""
        ...


def blocks(stream: Readable) -> Iterator[bytes]:
    """The stream in blocks of whole lines; the last may lack its line break."""
    rest: list[bytes] = []
    while block := stream.read1(BLOCK_BYTES):
        end = block.rfind(b"\n") + 1
        if end:
            yield b"".join((*rest, block[:end]))
            rest = []
        rest.append(block[end:])
    if last := b"".join(rest):
        yield last


def lines_of(block: bytes) -> list[bytes]:
    """The lines of a block, without their line breaks."""
    return block.removesuffix(b"\n").split(b"\n")


def records(stream: Readable) -> Iterator[bytes]:
    """Every record, without its line break."""
    for block in blocks(stream):
        yield from lines_of(block)


def batches(stream: Readable, *starts: bytes) -> Iterator[list[Record]]:
    """The fields of all records, or of those that begin with one of ``starts``, a block at a time.

    Every record has at least ``MOST_FIELDS`` fields: field N, counted from 1 as awk does, is at N - 1.
    """
    for block in blocks(stream):
        lines = lines_of(block)
        if starts:
            lines = [line for line in lines if line.startswith(starts)]
        if lines:
            yield split_all(block, lines)


def split_all(block: bytes, lines: list[bytes]) -> list[Record]:
    """The fields of lines of that block, at least ``MOST_FIELDS`` each."""
    batch = list(map(splitter(block), lines))
    if lines and min(map(len, batch)) < MOST_FIELDS:
        for record in batch:
            record += [b""] * (MOST_FIELDS - len(record))
    return batch


def splitter(block: bytes) -> Callable[[bytes], Record]:
    """What parts a line of this block into its fields."""
    return FIELD.findall if OTHER_BLANKS.search(block) else bytes.split


def column(batch: list[Record], number: int) -> list[bytes]:
    """Field ``number`` of every record, counted from 1 as awk does."""
    at = number - 1
    return [record[at] for record in batch]
