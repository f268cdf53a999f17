"""Stamps from all over a file, so that the year of the few lines that are found can be told.

BSD stamps have no year: it is inferred from the order of all of a file's stamps (``intake.clock``).  The
lines that a search finds may lie on either side of a New Year with months between them, so some other
lines go along: the file's first, and every sampled one whose month differs from the one before.  They
are used for their stamps only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from mailscope.intake.reader import Chunk, Source

SAMPLES_PER_FILE: Final = 400
LEAST_STEP_BYTES: Final = 1 << 10
STEP_BYTES: Final = 64 << 10  # where the size of the text is not known beforehand
REACH_BYTES: Final = 4 << 10
_STAMP: Final = re.compile(
    rb"(?:^|\n)(?:<[^>\n]{1,20}>)?(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ 0-9][0-9] [0-9]{2}:[0-9]{2}:"
)


@dataclass
class Samples:
    """By number of the file: offset and line of each sample that is kept, in order."""

    kept: dict[int, list[tuple[int, bytes]]] = field(default_factory=dict)
    _next: dict[int, int] = field(default_factory=dict)
    _month: dict[int, bytes] = field(default_factory=dict)

    def look(self, number: int, source: Source, chunk: Chunk) -> None:
        """Take samples of a chunk; chunks come in order."""
        kept = self.kept.setdefault(number, [])
        step = STEP_BYTES
        if source.compression == "none" and source.size_bytes:
            step = max(source.size_bytes // SAMPLES_PER_FILE, LEAST_STEP_BYTES)
        at = self._next.get(number, 0)
        end = chunk.offset + len(chunk.data)
        while at < end:
            start = at - chunk.offset
            found = _STAMP.search(chunk.data, start, start + REACH_BYTES)
            if found is not None and found[1] != self._month.get(number):
                begin = found.start() + (chunk.data[found.start() : found.start() + 1] == b"\n")
                if begin == 0 or chunk.data[begin - 1 : begin] == b"\n":
                    line_end = chunk.data.find(b"\n", begin)
                    line = chunk.data[begin:] if line_end < 0 else chunk.data[begin:line_end]
                    kept.append((chunk.offset + begin, line))
                    self._month[number] = found[1]
            at += step
        self._next[number] = at
