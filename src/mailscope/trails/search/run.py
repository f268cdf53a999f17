"""One search from beginning to end."""

from __future__ import annotations

from collections.abc import Sequence

from mailscope.intake.reader import Source
from mailscope.trails.search import marks
from mailscope.trails.search.closure import Closure
from mailscope.trails.search.numbers import line_numbers
from mailscope.trails.search.query import Query
from mailscope.trails.search.sessions import sessions
from mailscope.trails.search.wants import Found
from mailscope.trails.search.window import Window


def search(
    query: Query,
    files: Sequence[Source],
    limit: int,
    window: Window | None = None,
    *,
    numbered: bool = False,
) -> Found:
    """Find the lines that tell the story of a query.

    In: files that can be read several times; how many matching messages to follow, and of what time
    and hosts; whether line numbers are wanted (they cost one more look at the files).
    Errors: none; what cannot be read is in ``Found.reports``.
    """
    found = Closure(query, files, limit, window).run()
    around = {position: line for position, line in found.lines.items() if marks.begins(line)} | found.loose
    found.sessions, beside = sessions(files, around)
    for position, line in beside.items():
        if position not in found.lines and position not in found.loose:
            found.lines[position] = line
    for position, line in found.rivals.items():
        if position not in found.loose:
            found.lines.setdefault(position, line)
    if numbered:
        found.numbers = line_numbers(files, [*found.lines, *found.loose])
    return found
