"""Searching small logs and telling their stories, for the tests of trace."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from mailscope.intake.files import expand
from mailscope.intake.reader import Source
from mailscope.intake.sources import Sources, utc_now
from mailscope.recognise.library import Library, in_force
from mailscope.sequence.selection import Selection
from mailscope.trails.narrative.build import Told
from mailscope.trails.narrative.story import tell_stories
from mailscope.trails.narrative.trail import Story, Trail
from mailscope.trails.search.query import read_query
from mailscope.trails.search.run import search
from mailscope.trails.search.window import Window

SHARED: Final = Path(__file__).parents[2] / "shared"


@lru_cache(maxsize=1)
def library() -> Library:
    return in_force()


def sources(paths: Sequence[Path]) -> list[Source]:
    return expand([str(path) for path in paths]).sources


def told(
    query: str,
    *paths: Path,
    kind: str | None = None,
    limit: int = 100,
    zone: str = "UTC",
    selection: Selection | None = None,
    now: datetime | None = None,
) -> Told:
    asked, files = read_query(query, kind), sources(paths)
    wanted = selection or Selection()
    now = now or utc_now()
    window = Window(wanted.since, wanted.until, wanted.hosts, ZoneInfo(zone), now)
    found = search(asked, files, limit, window, numbered=True)
    return tell_stories(asked, found, Sources(files, ZoneInfo(zone), now), library(), wanted, limit)


def only(query: str, *paths: Path, kind: str | None = None, zone: str = "UTC") -> Story:
    (story,) = told(query, *paths, kind=kind, zone=zone).stories
    return story


def fates(trail: Trail) -> list[tuple[str | None, str, int]]:
    return [(each.recipient, each.status, len(each.attempts)) for each in trail.recipients]


def links(story: Story) -> list[tuple[str | None, str, str | None, str]]:
    return [
        (trail.queue_id, link.kind, link.queue_id, link.confidence)
        for trail in story.trails
        for link in trail.links
        if link.direction == "to"
    ]


def events(trail: Trail) -> list[str]:
    return [step.event for step in trail.steps]
