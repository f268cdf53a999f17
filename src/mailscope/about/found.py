"""All that sources say of a subject, collected."""

from __future__ import annotations

from mailscope.about.collect import Collector
from mailscope.about.gather import gather
from mailscope.about.subject import Subject
from mailscope.intake.clock import YearDisproved
from mailscope.intake.sources import Sources
from mailscope.recognise.library import Library
from mailscope.sequence.selection import Selection
from mailscope.trails.search.window import Window


def collected(
    asked: Subject, sources: Sources, library: Library, selection: Selection, window: Window
) -> Collector:
    """What the lines say of it; read once more where a log proves to begin a year earlier."""
    gathered = gather(asked, sources, library, selection, window)
    while True:
        collector = Collector(asked, sources.zone)
        try:
            collector.collect(gathered.batches())
            return collector
        except YearDisproved as disproved:
            # Its stamps pass one New Year more than was known; see intake.clock.
            sources.go_back(disproved.source, disproved.years)
