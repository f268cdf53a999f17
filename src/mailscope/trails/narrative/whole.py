"""A question answered whole: a search goes on until so many stories are told as are wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mailscope.intake.sources import Sources
from mailscope.recognise.library import Library
from mailscope.sequence.selection import Selection
from mailscope.trails.narrative.build import Told
from mailscope.trails.narrative.story import tell_stories
from mailscope.trails.search.query import Query
from mailscope.trails.search.wants import Found

# Where too few of those that were followed are of the span, so many times as many are followed.
MORE: Final = 8


def tell_whole(
    query: Query,
    found: Found,
    search: Callable[[int], Found],
    sources: Sources,
    library: Library,
    selection: Selection,
    limit: int,
) -> tuple[Found, Told]:
    """The stories of a search, at most ``limit``; ``search``: searches again, following so many messages."""
    follow = limit
    told = tell_stories(query, found, sources, library, selection, limit)
    while len(told.stories) < limit and found.more and not selection.everything:
        # The bytes of a stamp tell the time only roughly: what was followed may lie beside the span.
        follow *= MORE
        found = search(follow)
        told = tell_stories(query, found, sources, library, selection, limit)
    return found, told
