"""Where figures are heading: the slope over all whole days of the log, where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import exp, log
from statistics import median
from typing import Final
from zoneinfo import ZoneInfo

from mailscope.reports.comparison import series, statistics
from mailscope.reports.comparison.days import WEEK, days_with_lines
from mailscope.tallies.ledger import Ledger
from mailscope.vocabulary.calendar import NEAR_END, NEAR_START, Calendar

# Four weeks: with fewer figures of each weekday a slope is guesswork.
FEWEST_DAYS: Final = 28
# Days resemble those before them, which the test does not know: so it asks for more than 5 %.
CHANCE: Final = 0.01
# A figure that is mostly nothing has no slope in per cent.
LEAST: Final = 5
FIGURES: Final = tuple(figure for figure in series.COUNTS if figure.of == series.ALL)


@dataclass(frozen=True)
class Trend:
    """A figure over many days: its sum, how many ``days``, and its slope in per cent a week, if any."""

    measure: str
    total: int
    days: int
    per_week: float | None
    chance: float | None


def trends(ledger: Ledger, zone: ZoneInfo) -> list[Trend]:
    """The trend of each figure of all mail that is not nothing all along."""
    history = ledger.history or ledger
    days = whole_days(history, zone)
    found = []
    for figure in FIGURES:
        told = dict(figure.by_day(history, str(zone), 1)).get(None, {})
        values = {day: told.get(day, 0) for day in days}
        if sum(told.values()):
            slope, chance = _slope(values)
            found.append(Trend(figure.measure, sum(told.values()), len(days), slope, chance))
    tested = [trend for trend in found if trend.chance is not None]
    chances = statistics.adjusted([trend.chance or 0.0 for trend in tested])
    sure = dict(zip((trend.measure for trend in tested), chances, strict=True))
    return [
        Trend(
            each.measure,
            each.total,
            each.days,
            each.per_week if sure.get(each.measure, 1.0) <= CHANCE else None,
            sure.get(each.measure),
        )
        for each in found
    ]


def whole_days(history: Ledger, zone: ZoneInfo) -> list[date]:
    """The days that the log holds whole."""
    days = sorted(days_with_lines(history))
    calendar = Calendar("day", zone)
    if days and history.first - calendar.of_day(days[0]).start > NEAR_START:  # type: ignore[operator]
        days = days[1:]
    if days and calendar.of_day(days[-1]).end - history.last > NEAR_END:  # type: ignore[operator]
        days = days[:-1]
    return days


def _slope(values: dict[date, int]) -> tuple[float | None, float | None]:
    if len(values) < FEWEST_DAYS or median(values.values()) < LEAST:
        return None, None
    first = min(values)
    seasons: list[Sequence[float]] = [
        [
            log(values[day] + statistics.HALF)
            for day in sorted(values)
            if (day - first).days % WEEK.days == weekday
        ]
        for weekday in range(WEEK.days)
    ]
    slope, chance = statistics.trend(seasons)
    return 100 * (exp(slope) - 1), chance
