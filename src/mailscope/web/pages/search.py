"""The search of every page's heading: leads to where what was typed is told of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mailscope.about.subject import read_subject
from mailscope.language.phrase import Phrase
from mailscope.trails.search.query import read_query
from mailscope.vocabulary.errors import UsageError
from mailscope.web.pages.page import Context, Page, Redirect
from mailscope.web.pages.visit import Visit

LONGEST: Final = 998


@dataclass(frozen=True)
class Search(Context):
    """Nothing: it always leads elsewhere."""


def show(visit: Visit) -> Search:
    """Where it leads.  Raises UsageError for nothing."""
    text = visit.asked("q")[:LONGEST]
    if not text:
        raise UsageError(
            Phrase("nothing is looked for"),
            "q",
            Phrase("give an id, an address, a domain, an IP, a user or words"),
        )
    raise Redirect(place(visit, text))


def place(visit: Visit, text: str) -> str:
    """The page that tells of something."""
    try:
        kinds = read_query(text, None).kinds
    except UsageError:
        kinds = ()
    if "ip" in kinds or _network(text):
        return visit.link("/about", subject=text)
    if kinds:
        # What is looked for may be older than a day.
        return visit.link("/messages", q=text, range="28d")
    return (
        visit.link("/lines", text=text) if visit.viewer.may("lines") else visit.link("/messages", sender=text)
    )


def _network(text: str) -> bool:
    try:
        return read_subject(text, None).network is not None
    except UsageError:
        return False


PAGE: Final = Page(
    "search", "/search", Phrase("Search"), "error.html", show, "look up", usual="", menu=False, limited=True
)
