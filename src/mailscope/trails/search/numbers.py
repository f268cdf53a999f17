"""Line numbers of lines whose offset is known; the text before them is counted through once more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from mailscope.intake.reader import ReadReport, Source, read_chunks
from mailscope.trails.search.spans import Position

CHUNK_BYTES: Final = 1 << 20


def line_numbers(files: Sequence[Source], positions: Iterable[Position]) -> dict[Position, int]:
    """The number, from 1, of each line in its file."""
    wanted: dict[int, list[int]] = {}
    for number, offset in sorted(positions):
        wanted.setdefault(number, []).append(offset)
    numbers: dict[Position, int] = {}
    for number, offsets in wanted.items():
        before = 1
        for chunk in read_chunks(files[number], CHUNK_BYTES, report=ReadReport()):
            done = 0
            while offsets and offsets[0] < chunk.offset + len(chunk.data):
                at = offsets.pop(0) - chunk.offset
                before += chunk.data.count(b"\n", done, at)
                done = at
                numbers[(number, chunk.offset + at)] = before
            if not offsets:
                break
            # A line too long for the reader is cut, and what is left of it counts as a line.
            before += chunk.data.count(b"\n", done) + (not chunk.data.endswith(b"\n"))
    return numbers
