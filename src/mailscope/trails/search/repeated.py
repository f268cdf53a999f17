"""Stamps of the hour that the clocks repeat when summer time ends, for the clock's sake.

Which of the two hours a stamp means, only the stamps before it tell (``intake.clock``).  The lines that
were found are too few for that, so one line of every minute of that hour goes along.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from mailscope.intake.reader import ReadReport, Source, read_chunks

CHUNK_BYTES: Final = 1 << 20
# Up to the hour: "Oct 25 02:", "2026-10-25T02:".
_HOUR: Final = re.compile(
    rb"(?:<[^>]{1,20}>)?(?:[A-Z][a-z]{2} [ 0-9][0-9] |[0-9]{4}-[0-9]{2}-[0-9]{2}[T ])[0-9]{2}:"
)


def repeated_hour(source: Source, lines: Iterable[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Offset and text of one line per minute, of the hours in which some lines are, up to the last of them.

    In: offset and text of these lines.  Out: empty where they have no stamp of this kind.
    """
    hours: dict[bytes, int] = {}
    for offset, line in lines:
        found = _HOUR.match(line)
        if found:
            hours[found[0]] = max(offset, hours.get(found[0], 0))
    if not hours:
        return []
    out: list[tuple[int, bytes]] = []
    end = max(hours.values())
    for chunk in read_chunks(source, CHUNK_BYTES, report=ReadReport()):
        for hour in hours:
            if hour in chunk.data:
                out += _minutes(chunk.data, hour, chunk.offset)
        if chunk.offset > end:
            break
    return sorted(out)


def _minutes(data: bytes, hour: bytes, base: int) -> list[tuple[int, bytes]]:
    out: list[tuple[int, bytes]] = []
    minute = b""
    for found in re.finditer(rb"(?:^|\n)(%s([0-9]{2})[^\n]*)" % re.escape(hour), data):
        if found[2] != minute:
            minute = found[2]
            out.append((base + found.start(1), found[1]))
    return out
