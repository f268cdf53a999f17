"""From what a search found to stories: recognise, follow, join.

The only caller of the other modules of this folder.
"""

from __future__ import annotations

from mailscope.intake.clock import YearDisproved
from mailscope.intake.sources import Sources
from mailscope.recognise.library import Library
from mailscope.sequence.selection import Selection
from mailscope.trails.narrative.build import Told, tell
from mailscope.trails.narrative.excerpt import Excerpts
from mailscope.trails.narrative.follow import Followed, follow
from mailscope.trails.search.wants import Found
from mailscope.trails.search.query import Query


def tell_stories(
    query: Query, found: Found, sources: Sources, library: Library, selection: Selection, limit: int
) -> Told:
    """The stories of a search's lines, the earliest first, at most ``limit``."""
    followed = _followed(found, sources, library, selection)
    for line in followed.lines:
        line.step.line_number = found.numbers.get(line.position)
    return tell(query, found, followed, limit)


def _followed(found: Found, sources: Sources, library: Library, selection: Selection) -> Followed:
    if not found.lines and not found.loose:
        return Followed()
    while True:
        excerpts = Excerpts(found, sources, library, selection)
        try:
            return follow(excerpts.batches(), excerpts.positions)
        except YearDisproved as disproved:
            # Its stamps pass one New Year more than was known; see intake.clock.
            sources.go_back(disproved.source, disproved.years)
