"""The stamp that a line begins with, as each release of pflogsumm takes it apart.

Two forms are known: month, day and time (RFC 3164), where the year is guessed from today's date, and
RFC 3339.  1.3.0 also takes a priority ``<22>`` before them and an RFC 3339 stamp without a zone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_NUMBER: Final = {name: number for number, name in enumerate(MONTHS)}

# What may stand before a stamp: a priority, perhaps with RFC 5424's version.
_PRIORITY: Final = r"(?:<[0-9]{1,3}>(?:[1-9][0-9]*\s+|\s*))?"
_CLOCK: Final = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_LONG: Final = r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})T" + _CLOCK + r"(?:\.[0-9]+)?"
_SHORT: Final = r" {1,2}(?P<day>[0-9]{1,2}) " + _CLOCK
_ZONE: Final = r"(?:[+-][0-9]{2}:[0-9]{2}|Z)"
_REST: Final = r" \S+ (?P<rest>.+)"

# The same stamps where every line has one of the same length, which is the rule within one log.
_FIXED_SHORT: Final = re.compile(r"(?:" + "|".join(MONTHS) + r") [ 0-9][0-9] (?:[0-9]{2}:){2}[0-9]{2} ")
_FIXED_LONG: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[0-9]{2}:){2}[0-9]{2}(?P<part>\.[0-9]+)?"
    r"(?P<zone>[+-][0-9]{2}:[0-9]{2}|Z) "
)


class Day(NamedTuple):
    """A calendar day as pflogsumm holds it: ``month`` counts from 0; numbers need not make a real date."""

    year: int
    month: int
    day: int


class Moment(NamedTuple):
    """A line's stamp taken apart, and what follows the host name."""

    day: Day
    clock: tuple[int, int, int]
    rest: str


@dataclass(frozen=True)
class Shape:
    """A stamp of one fixed length: ``expression`` for Polars, and where its parts are."""

    length: int
    expression: str
    date: tuple[int, int]  # offset and length of what tells the day
    hour: int  # offset; minutes and seconds follow at +3 and +6


def shape_of(line: str) -> Shape | None:
    """The shape of a line's stamp; None where it has none of fixed length."""
    if _FIXED_SHORT.match(line):
        return Shape(16, "^" + _FIXED_SHORT.pattern, (0, 6), 7)
    if found := _FIXED_LONG.match(line):
        part = rf"\.[0-9]{{{len(found['part']) - 1}}}" if found["part"] else ""
        zone = "Z" if found["zone"] == "Z" else "[+-][0-9]{2}:[0-9]{2}"
        stamp = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[0-9]{2}:){2}[0-9]{2}"
        return Shape(found.end(), f"{stamp}{part}{zone} ", (0, 10), 11)
    return None


class Calendar:
    """Reads stamps as one release does, on one day.

    In: the release; today's date, from which missing years are told; the first and last day that are
    asked for, None for all.
    """

    def __init__(self, release: str, today: date, span: tuple[date, date] | None = None) -> None:
        self.release = release
        self.today = today
        self.span = span
        optional = "?" if release == "1.3.0" else ""
        before = _PRIORITY if release == "1.3.0" else ""
        month = r"(?P<month>\w{3})" if release == "1.3.0" else r"(?P<month>...)"
        self._long = re.compile(before + _LONG + _ZONE + optional + _REST, re.ASCII)
        self._short = re.compile(before + month + _SHORT + _REST, re.ASCII)

    def read(self, line: str) -> Moment | None:
        """Take one line of any form apart; None where it has no stamp or is not of the days asked for."""
        patterns = (self._long, self._short) if self.release == "1.3.0" else (self._short, self._long)
        for pattern in patterns:
            if found := pattern.fullmatch(line):
                year = found["year"] if pattern is self._long else None
                day = self._day(year, found["month"], found["day"])
                if day is None or not self._wanted(day, line):
                    return None
                clock = (int(found["hour"]), int(found["minute"]), int(found["second"]))
                return Moment(day, clock, found["rest"])
        return None

    def day(self, text: str) -> Day | None:
        """The day that the date part of a Shape's stamp tells; None where it is not asked for."""
        if text[4:5] == "-":
            day = self._day(text[:4], text[5:7], text[8:10])
        else:
            day = self._day(None, text[:3], text[4:6])
        return day if day is not None and self._wanted(day, text) else None

    def _day(self, year: str | None, month: str, day: str) -> Day | None:
        if year is not None:
            number = int(month) - 1
            if self.release == "1.3.0":
                return Day(int(year), number, int(day))
        else:
            known = _MONTH_NUMBER.get(month)
            if known is None and self.release == "1.3.0":
                return None
            number = known or 0
        # 1.1.5 guesses the year even where the stamp tells it.
        return Day(self.today.year - (number > self.today.month - 1), number, int(day))

    def _wanted(self, day: Day, text: str) -> bool:
        if self.span is None:
            return True
        if self.release == "1.1.5":
            # It compares the characters that the line begins with.
            wanted = self.span[0]
            marks = (f"{MONTHS[wanted.month - 1]} {wanted.day:2d}", wanted.isoformat())
            return text.startswith((marks[0] + " ", marks[1] + "T")) or text in marks
        try:
            real = date(day.year, day.month + 1, day.day)
        except ValueError:
            return False
        return self.span[0] <= real <= self.span[1]
