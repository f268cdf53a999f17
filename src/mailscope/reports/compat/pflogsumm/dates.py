"""The days that ``-d`` asks for: words, months, days and ranges of them, counted from today."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Final

from mailscope.vocabulary.errors import UsageError

Span = tuple[date, date]

_ONE: Final = re.compile(r"[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?")
_TWO: Final = re.compile(rf"({_ONE.pattern})\s+(?:(?:to|-)\s+)?({_ONE.pattern})", re.ASCII)


def older_span(text: str, now: datetime) -> Span | None:
    """1.1.5's ``today`` and ``yesterday``; None for anything else.  ``now`` is local time."""
    if text == "today":
        return now.date(), now.date()
    if text == "yesterday":
        # Two hours before midnight, so that no change of summer time matters.
        day = (now - timedelta(hours=now.hour + 2)).date()
        return day, day
    return None


def span(text: str, now: datetime, *, weeks_from_monday: bool) -> Span:
    """First and last day that 1.3.0 takes a range to mean.

    In: ``today``, ``last week``, ``2026-11``, ``2026-11-03 to 2026-12`` and the like (``_`` is as good as a
    blank); the local time.
    Raises UsageError for any other text, for days that do not exist and for an end before its beginning.
    """
    words = text.replace("_", " ")
    found = _by_name(words, now.date(), weeks_from_monday)
    if found is None:
        if _ONE.fullmatch(words):
            found = _first(words), _last(words)
        elif both := _TWO.fullmatch(words):
            found = _first(both[1]), _last(both[2])
        else:
            what_to_do = "such as yesterday, 'last week', 2026-11 or '2026-11-03 to 2026-11-05'"
            raise UsageError(f"Invalid date range format: '{words}'", "--date-range", what_to_do)
    if found[1] < found[0]:
        raise UsageError(f"End date precedes start date: '{words}'", "--date-range", "give the earlier first")
    return found


def _by_name(words: str, today: date, weeks_from_monday: bool) -> Span | None:
    if words == "today":
        return today, today
    if words == "yesterday":
        return today - timedelta(days=1), today - timedelta(days=1)
    which, _, unit = words.partition(" ")
    if which not in ("this", "last") or unit not in ("week", "month"):
        return None
    if unit == "week":
        first = today - timedelta(days=today.weekday() if weeks_from_monday else today.isoweekday() % 7)
        first -= timedelta(days=7 if which == "last" else 0)
        return first, first + timedelta(days=6)
    first = today.replace(day=1)
    if which == "last":
        first = (first - timedelta(days=1)).replace(day=1)
    return first, _end_of_month(first)


def _first(text: str) -> date:
    return _real(text if len(text) > 7 else f"{text}-01")


def _last(text: str) -> date:
    return _real(text) if len(text) > 7 else _end_of_month(_real(f"{text}-01"))


def _real(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"there is no day {text}", "--date-range", "give a day of the calendar") from None


def _end_of_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
