"""Counts over time as bars: hours of short spans, otherwise days of the viewer's zone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from markupsafe import Markup

from mailscope.reports import figures
from mailscope.vocabulary.instants import naive
from mailscope.web.pages.pictures import Bar, Part, bars
from mailscope.web.pages.span import HOUR, Span
from mailscope.web.pages.visit import Visit

# Up to so long, bars are hours.
HOURS: Final = timedelta(days=3)
# The class of a colour, words, a figure, and where it leads.
Legend = Sequence[tuple[str, str, str | None, str]]


def over_time(
    visit: Visit,
    name: str,
    told: str,
    kinds: Mapping[str, str],
    counts: Callable[[datetime, datetime], Mapping[str, int]],
    href: Callable[[str, Span], str],
    marks: Sequence[Mapping[str, Any]] = (),
) -> tuple[Markup, Legend]:
    """The chart and its legend.

    ``kinds``: what is stacked, by the class of its colour, in words; ``counts``: of the instants from one
    until another; ``href``: the list behind a kind in a span; ``marks``: notes on the time line.
    """
    hourly = visit.span.length <= HOURS
    found = []
    for begin, end in steps(visit):
        local = visit.local(begin)
        when = f"{local:%a %H:%M}" if hourly else f"{local:%Y-%m-%d}"
        figure = counts(begin, end)
        parts = [
            Part(
                figure.get(kind, 0), kind, f"{when}: {figures.count(figure.get(kind, 0))} {visit.tr(words)}",
                href(kind, Span(begin, end)),
            )
            for kind, words in kinds.items()
        ]  # fmt: skip
        here = [mark["title"] for mark in marks if begin <= mark["time"] < end]
        found.append(Bar(f"{local:%H}" if hourly else f"{local:%d.%m.}", parts, "; ".join(here), "#marks"))
    legend = [(kind, visit.tr(words), None, href(kind, visit.span)) for kind, words in kinds.items()]
    return bars(name, told, found), legend


def steps(visit: Visit) -> Iterator[tuple[datetime, datetime]]:
    """The hours of the page's span, or its days in the viewer's zone."""
    at = visit.span.since
    while at < visit.span.until:
        end = at + HOUR
        if visit.span.length > HOURS:
            midnight = (visit.local(at) + timedelta(days=1)).replace(hour=0, minute=0)
            end = naive(midnight)
        yield at, min(end, visit.span.until)
        at = end
