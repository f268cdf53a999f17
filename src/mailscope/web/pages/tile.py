"""A figure that stands out, with what it was before and where it leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from mailscope.reports import figures

if TYPE_CHECKING:
    from mailscope.web.pages.visit import Visit

# A change by less than this, or of fewer, is nobody's concern.
FACTOR: Final = 2.0
FEWEST: Final = 20


@dataclass(frozen=True, slots=True)
class Tile:
    """``beside``: more words; ``kind``: good, warn, bad or "" for how it looks."""

    title: str
    figure: str
    beside: str = ""
    href: str = ""
    kind: str = ""


def compared(
    visit: Visit,
    title: str,
    new: float | None,
    old: float | None,
    href: str,
    worse: Literal["more", "less", ""] = "",
) -> Tile:
    """A count with the one before in brackets; it stands out where it got much worse."""
    now, before = int(new or 0), int(old or 0)
    bad = max(now, before) >= FEWEST and (
        (worse == "more" and now > FACTOR * before) or (worse == "less" and FACTOR * now < before)
    )
    beside = f"({figures.count(before)})" if old is not None else ""
    return Tile(title, figures.count(now), beside, href, "warn" if bad and old is not None else "")
