"""Stamps from all over a file, so that the year of the few lines that are found can be told.

BSD stamps have no year: it is inferred from the order of all of a file's stamps (``intake.clock``).  The
lines that a search finds may lie on either side of a New Year with months between them, so some other
lines go along: the file's first, and every sampled one whose month differs from the one before, or that
is of a leap day.  They are used for their stamps only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from mailscope.intake.reader import Source
from mailscope.trails.search.find import Block

SAMPLES_PER_FILE: Final = 400
LEAST_STEP_BYTES: Final = 1 << 10
STEP_BYTES: Final = 64 << 10  # where the size of the text is not known beforehand
REACH_BYTES: Final = 4 << 10
_STAMP: Final = re.compile(
    rb"(?:^|\n)((?:<[^>\n]{1,20}>)?(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) ([ 0-9][0-9])"
    rb" [0-9:]{8} [^\n]*)"
)


@dataclass
class Samples:
    """By number of the file: offset and line of each sample that is kept, in order."""

    kept: dict[int, list[tuple[int, bytes]]] = field(default_factory=dict)
    _next: dict[int, int] = field(default_factory=dict)
    _month: dict[int, bytes] = field(default_factory=dict)

    def look(self, number: int, source: Source, block: Block) -> None:
        """Take samples of a source that is being read; its blocks come in order."""
        if source.compression == "none":
            if number not in self.kept:
                self._look_at_file(number, source)
            return
        self.kept.setdefault(number, [])
        at = self._next.get(number, 0)
        while at < block.offset + block.size:
            start = at - block.offset
            self._take(number, block.data[start : start + REACH_BYTES], at, at == 0)
            at += STEP_BYTES
        self._next[number] = at

    def _look_at_file(self, number: int, source: Source) -> None:
        """A plain file is looked at here and there, whatever is being read of it."""
        self.kept[number] = []
        size = source.size_bytes or 0
        try:
            with open(source.path, "rb", buffering=0) as file:
                for at in range(0, size, max(size // SAMPLES_PER_FILE, LEAST_STEP_BYTES)):
                    file.seek(at)
                    self._take(number, file.read(REACH_BYTES), at, at == 0)
        except OSError:
            return  # whoever reads it whole says what is wrong

    def _take(self, number: int, data: bytes, offset: int, whole: bool) -> None:
        # Unless it is the file's beginning, the first line is the rest of one.
        found = _STAMP.search(data, 0 if whole else max(data.find(b"\n"), 0))
        if found is None or not (whole or found.start()):
            return
        # A leap day tells more of the year than any other.
        when = b"leap day" if (found[2], found[3]) == (b"Feb", b"29") else found[2]
        if when != self._month.get(number):
            self.kept[number].append((offset + found.start(1), found[1]))
            self._month[number] = when
