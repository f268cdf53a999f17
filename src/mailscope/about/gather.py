"""The lines to look at: those that mention the subject with the others of their messages, or all.

In: sources.  Out: batches of events in order of time.  Where more lines or messages mention it than may be
held, and for a network, every line is read and taken apart as for a report.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mailscope.about.subject import Subject
from mailscope.intake.sources import Sources
from mailscope.pipeline import Pipeline
from mailscope.recognise.events import Events
from mailscope.recognise.library import Library
from mailscope.sequence.selection import Selection
from mailscope.trails.narrative.excerpt import Excerpts
from mailscope.trails.search import marks
from mailscope.trails.search.closure import Closure
from mailscope.trails.search.query import Query
from mailscope.trails.search.spans import Position
from mailscope.trails.search.wants import Found, Wants
from mailscope.trails.search.window import Window

MOST_MESSAGES: Final = 2_000
MOST_LINES: Final = 100_000


class TooMany(Exception):
    """More lines or messages than may be held."""


class _Gathering(Closure):
    """A search that keeps every line that mentions the subject, whatever it tells of.

    Raises TooMany as soon as that is known, before the lines of all those messages are looked for.
    """

    def _matching(self) -> Iterator[tuple[Position, bytes]]:
        for count, found in enumerate(super()._matching()):
            if count >= MOST_LINES:
                raise TooMany
            yield found

    def _take_loose(self, position: Position, line: bytes, wants: Wants) -> None:
        self.found.loose[position] = line
        self.found.matched.add(position)
        number = marks.ended(line)
        if number is not None:
            wants.starts[number].add(position)

    def fetch(self, wants: Wants) -> Wants:
        """One pass over all files, unless messages are left out."""
        if self.found.more:
            raise TooMany
        return super().fetch(wants)


@dataclass
class Gathered:
    """``found``: what a search found, or None where all lines are to be read."""

    sources: Sources
    library: Library
    selection: Selection
    found: Found | None

    def batches(self) -> Iterator[list[Events]]:
        """Events in order of time.  Raises YearDisproved as ``pipeline`` does."""
        if self.found is None:
            yield from Pipeline(self.sources, self.library, None, self.selection).batches()
        elif self.found.lines or self.found.loose:
            for batch in Excerpts(self.found, self.sources, self.library).batches():
                yield [self.selection.apply(events) for events in batch]


def gather(
    subject: Subject, sources: Sources, library: Library, selection: Selection, window: Window
) -> Gathered:
    """Find the lines.  Sources must be such as can be read twice."""
    found = None if subject.query is None else _search(subject.query, sources, window)
    return Gathered(sources, library, selection, found)


def _search(query: Query, sources: Sources, window: Window) -> Found | None:
    try:
        found = _Gathering(query, sources.files, MOST_MESSAGES, window).run()
    except TooMany:
        return None
    if found.more:
        return None
    for number, report in found.reports.items():
        sources.reports[sources.files[number].name] = report
    return found
