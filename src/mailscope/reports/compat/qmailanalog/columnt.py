"""``columnt``: a table with every column but the last aligned to the right, two spaces between them.

In: bytes, lines of fields parted by spaces and tabs.  Out: the aligned lines.  A line of fewer fields
than the longest is padded all the same, and keeps the two spaces after its last field.  Widths are in
bytes.  The whole input is held, as in the original: no width is known before the last line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import zip_longest
from typing import Final

FIELD: Final = re.compile(rb"[^ \t]+")


def columnt(lines: Iterable[bytes]) -> bytes:
    """The lines (without line breaks) as a table, every line with its line break."""
    rows = [FIELD.findall(line) for line in lines]
    widths = [max(map(len, column)) for column in zip_longest(*rows, fillvalue=b"")]
    aligned = []
    for row in rows:
        cells = [cell.rjust(width) + b"  " for cell, width in zip(row, widths[:-1], strict=False)]
        aligned.append(b"".join((*cells, *row[len(widths) - 1 :], b"\n")))
    return b"".join(aligned)
