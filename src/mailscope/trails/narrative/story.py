"""From what a search found to stories: recognise, follow, join."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from mailscope.intake.clock import YearDisproved
from mailscope.intake.sources import Sources
from mailscope.recognise.library import Library
from mailscope.sequence.selection import Selection
from mailscope.trails.narrative.build import Told, tell
from mailscope.trails.narrative.causes import name_causes
from mailscope.trails.narrative.excerpt import Excerpts
from mailscope.trails.narrative.follow import Followed, follow
from mailscope.trails.search.query import Query
from mailscope.trails.search.repeated import repeated_hour
from mailscope.trails.search.wants import Found


def tell_stories(
    query: Query, found: Found, sources: Sources, library: Library, selection: Selection, limit: int
) -> Told:
    """The stories of a search's lines, the earliest first, at most ``limit``.

    ``selection``: a story is told if one of its lines that match is of that time and host; it is told whole.
    """
    followed = _followed(found, sources, library)
    if _add_repeated_hours(found, sources, followed):
        followed = _followed(found, sources, library)
    for line in followed.lines:
        line.step.line_number = found.numbers.get(line.position)
    name_causes(line.step for line in followed.lines)
    return tell(query, found, followed, selection, limit)


def _add_repeated_hours(found: Found, sources: Sources, followed: Followed) -> bool:
    """Where a line is of an hour that the clocks repeat: take along what tells which of the two it is."""
    repeated: dict[int, list[tuple[int, bytes]]] = {}
    for line in followed.lines:
        if line.step.time_quality != "exact" and _is_repeated(line.step.time, sources.zone):
            raw = found.lines.get(line.position) or found.loose[line.position]
            repeated.setdefault(line.position[0], []).append((line.position[1], raw))
    for number, lines in repeated.items():
        samples = found.samples.setdefault(number, [])
        samples += repeated_hour(sources.files[number], lines)
    return bool(repeated)


def _is_repeated(time: datetime | None, zone: ZoneInfo) -> bool:
    if time is None:
        return False
    local = time.replace(tzinfo=UTC).astimezone(zone)
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def _followed(found: Found, sources: Sources, library: Library) -> Followed:
    if not found.lines and not found.loose:
        return Followed()
    while True:
        excerpts = Excerpts(found, sources, library)
        try:
            return follow(excerpts.batches(), excerpts.positions)
        except YearDisproved as disproved:
            # Its stamps pass one New Year more than was known; see intake.clock.
            sources.go_back(disproved.source, disproved.years)
