"""How much is read of each file at a time, where many are read side by side.

Files that cover the same time are held open together, each with some chunks: of the logs of fifty hosts these
are fifty times what they are of one.  A rotated set counts once, as its files follow each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from itertools import accumulate, pairwise
from typing import Final

# Of all files that are open at once, so much is in chunks of the largest size ...
AT_ONCE_BYTES: Final = 12 << 20
# ... but smaller ones cost more to read than they save.
LEAST_BYTES: Final = 256 << 10


def chunk_bytes(most: int, count: int) -> int:
    """How large a chunk may be (at most ``most``) where so many files are open at once."""
    return min(most, max(LEAST_BYTES, AT_ONCE_BYTES // max(count, 1)))


def open_at_once(begins: Iterable[tuple[str, datetime | None]]) -> int:
    """The most files that are open at once, by their sets and first instants.

    A file ends where the next of its set begins; the last one of a set may go on for ever.
    """
    sets: defaultdict[str, list[datetime]] = defaultdict(list)
    for name, first in begins:
        sets[name].append(first or datetime.min)
    steps: list[tuple[datetime, int]] = []
    for firsts in sets.values():
        for since, until in pairwise([*sorted(firsts), datetime.max]):
            steps += [(since, 1), (until, -1)]
    return max(accumulate(change for _, change in sorted(steps)), default=0)
