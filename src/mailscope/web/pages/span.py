"""The span of time that a page is about, as its URL says: a named one, or from one instant to another.

Spans begin and end with whole hours, by which tallies are kept; so a number and the list behind it are of the
same instants.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.errors import UsageError
from mailscope.vocabulary.instants import naive

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
LONGEST: Final = timedelta(days=3660)
NAMES: Final = {
    "1h": Phrase("1 hour"),
    "24h": Phrase("24 hours"),
    "today": Phrase("today"),
    "yesterday": Phrase("yesterday"),
    "7d": Phrase("7 days"),
    "28d": Phrase("28 days"),
}
LENGTHS: Final = {"1h": HOUR, "24h": DAY, "7d": 7 * DAY, "28d": 28 * DAY}
USUAL: Final = "24h"
# What a span takes in a URL.
PARAMETERS: Final = ("range", "from", "to")


@dataclass(frozen=True)
class Span:
    """From an instant (naive UTC) until before another; ``name``: one of NAMES, or "" for one of its own."""

    since: datetime
    until: datetime
    name: str = ""

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.until - self.since

    def before(self, by: timedelta) -> Span:
        """The same span so much earlier."""
        return Span(self.since - by, self.until - by)


def read(query: Mapping[str, str], zone: ZoneInfo, now: datetime, usual: str = USUAL) -> Span:
    """The span that a query asks for (``now`` is naive UTC).  Raises UsageError."""
    if query.get("from") or query.get("to"):
        until = _instant(query.get("to"), "to", zone) or now
        since = _instant(query.get("from"), "from", zone) or until - DAY
        if since >= until:
            raise UsageError(
                Phrase("it does not begin before it ends"), "from", Phrase("give a span that is not empty")
            )
        if until - since > LONGEST:
            raise UsageError(Phrase("the span is too long"), "from", Phrase("give a later beginning"))
        return Span(_floor(since), _ceiling(until))
    name = query.get("range") or usual
    if name not in NAMES:
        raise UsageError(
            Phrase("there is no span '{name}'", name=name[:40]),
            "range",
            Phrase("there are {kinds}", kinds=", ".join(NAMES)),
        )
    return named(name, zone, now)


def named(name: str, zone: ZoneInfo, now: datetime) -> Span:
    """The span of a name."""
    # The hour that has begun is part of it.
    end = _floor(now) + HOUR
    if name in LENGTHS:
        return Span(end - LENGTHS[name], end, name)
    midnight = now.replace(tzinfo=UTC).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    today = _floor(_naive(midnight))
    if name == "today":
        return Span(today, end, name)
    before = _floor(_naive(midnight - DAY))
    return Span(before, today, name)


def _instant(text: str | None, name: str, zone: ZoneInfo) -> datetime | None:
    """An instant of the viewer's zone, unless it tells an offset of its own."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        return _naive(found if found.tzinfo else found.replace(tzinfo=zone))
    except (ValueError, OverflowError):
        raise UsageError(
            Phrase("'{text}' is no instant", text=text[:40]), name, Phrase("give it as 2026-11-27T12:00")
        ) from None


def _naive(instant: datetime) -> datetime:
    return naive(instant)


def _floor(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)


def _ceiling(instant: datetime) -> datetime:
    begun = _floor(instant)
    return begun if begun == instant else begun + HOUR


def weekly(span: Span, zone: ZoneInfo, weekday: int, hour: int) -> list[Span]:
    """An hour (0 to 23) of a day of the week (1: Monday), in a zone, each time that it is within a span."""
    found, at = [], span.since
    while at < span.until:
        local = at.replace(tzinfo=UTC).astimezone(zone)
        if local.isoweekday() == weekday and local.hour == hour:
            found.append(Span(at, at + HOUR))
        at += HOUR
    return found


def whole(instant: datetime) -> datetime:
    """The whole hour that an instant is in, or begins."""
    return _floor(instant)
