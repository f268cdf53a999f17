"""What ``--period`` means: a day, week or month, the last whole one or a named one.

day  week  month                     the last one that the log holds whole
day:2026-11-25  day:yesterday        the day named
week:2026-W48  week:2026-11-25       the week named, or the one that the day lies in
month:2026-11  month:2026-11-25      the month
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from mailscope.vocabulary.calendar import UNITS, Calendar, Span
from mailscope.vocabulary.errors import UsageError

OPTION: Final = "--period"
EXAMPLES: Final = "say day, week or month, or name one: day:2026-11-25, week:2026-W48, month:2026-11"
WEEK: Final = re.compile(r"([0-9]{4})-?W([0-9]{2})", re.IGNORECASE)
MONTH: Final = re.compile(r"([0-9]{4})-([0-9]{2})")
METAVAR: Final = "day|week|month[:WHICH]"


def parse(text: str, now: datetime, zone: ZoneInfo) -> tuple[Calendar, Span | None]:
    """The calendar to part the log by, and the unit that is named (None: the last whole one).

    In: what was typed; ``now`` aware; ``zone`` that of the days.  Raises UsageError that says what may be
    typed.
    """
    word, _, which = text.partition(":")
    unit = next((unit for unit in UNITS if unit == word.strip().lower()), None)
    if unit is None:
        raise UsageError(f"no such period: '{text}'", OPTION, EXAMPLES)
    calendar = Calendar(unit, zone)
    return calendar, calendar.of_day(_day(which.strip(), now, zone)) if which.strip() else None


def _day(which: str, now: datetime, zone: ZoneInfo) -> date:
    from mailscope.cli.when import parse_when

    try:
        if week := WEEK.fullmatch(which):
            return date.fromisocalendar(int(week[1]), int(week[2]), 1)
        if month := MONTH.fullmatch(which):
            return date(int(month[1]), int(month[2]), 1)
    except ValueError as error:
        raise UsageError(f"no such period: '{which}' ({error})", OPTION, EXAMPLES) from None
    return parse_when(which, now.astimezone(UTC), zone).astimezone(zone).date()
