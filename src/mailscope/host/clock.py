"""Instants as the old programs write them, many at a time: wall clocks of a zone without a call for each.

A zone's distance from UTC changes at full quarters of an hour, so it is asked once for each quarter of an
hour that occurs.  Names of days and months are those of the C locale.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

Seconds = npt.NDArray[np.int64]
Texts = npt.NDArray[np.bytes_]

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAY_S: Final = 86_400
QUARTER_S: Final = 900
MOST_KNOWN: Final = 1 << 18
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# What datetime can hold; instants beyond are told as the last one within.
_FIRST_S: Final = int((datetime(1, 1, 2, tzinfo=UTC) - EPOCH).total_seconds())
_LAST_S: Final = int((datetime(9999, 12, 30, tzinfo=UTC) - EPOCH).total_seconds())
_CLOCK: Final = np.array([f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(1440)], dtype="S5")
_TWO: Final = np.array([f":{second:02d}" for second in range(60)], dtype="S3")


class Clock:
    """The wall clocks of a zone."""

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self._shifts: dict[int, int] = {}

    def at(self, seconds: int) -> datetime:
        """The wall clock at an instant (seconds since 1970)."""
        return (EPOCH + timedelta(seconds=min(max(int(seconds), _FIRST_S), _LAST_S))).astimezone(self.zone)

    def east(self, seconds: Seconds) -> Seconds:
        """How far the zone is ahead of UTC at each instant, in seconds."""
        quarters, which = np.unique(seconds // QUARTER_S, return_inverse=True)
        shifts = [self._shift(quarter) for quarter in quarters.tolist()]
        return np.array(shifts, dtype=np.int64)[which]

    def ctime(self, seconds: Seconds) -> Texts:
        """``Fri Nov 17 05:50:00 2023``, as ctime(3) writes it."""
        local = seconds + self.east(seconds)
        days, clock = local // DAY_S, _CLOCK[local % DAY_S // 60]
        return _joined(_days(days, "day"), b" ", clock, _TWO[local % 60], b" ", _days(days, "year"))

    def minute(self, seconds: Seconds) -> Texts:
        """``Fri Nov 17 05:50``: the first 16 characters of ctime(3)."""
        local = seconds + self.east(seconds)
        return _joined(_days(local // DAY_S, "day"), b" ", _CLOCK[local % DAY_S // 60])

    def hour_minute(self, seconds: Seconds) -> Texts:
        """``05:50``."""
        return np.asarray(_CLOCK[(seconds + self.east(seconds)) % DAY_S // 60])

    def iso(self, seconds: Seconds) -> Texts:
        """``2023-11-17T05:50:00+00:00``."""
        east = self.east(seconds)
        local = seconds + east
        shifts, which = np.unique(east, return_inverse=True)
        zones = np.array([_zone(int(shift)) for shift in shifts], dtype="S6")[which]
        days = _days(local // DAY_S, "iso")
        return _joined(days, b"T", _CLOCK[local % DAY_S // 60], _TWO[local % 60], zones)

    def iso_one(self, seconds: int, microseconds: int = 0) -> str:
        """The same for one instant, with its microseconds where it has any."""
        return (self.at(seconds) + timedelta(microseconds=microseconds)).isoformat()

    def _shift(self, quarter: int) -> int:
        shift = self._shifts.get(quarter)
        if shift is None:
            offset = self.at(quarter * QUARTER_S).utcoffset()
            shift = int(offset.total_seconds()) if offset else 0
            if len(self._shifts) < MOST_KNOWN:
                self._shifts[quarter] = shift
        return shift


def _days(days: Seconds, form: str) -> Texts:
    """Each day in a form, asked once for each that occurs."""
    distinct, which = np.unique(days, return_inverse=True)
    names = np.array([_day(int(day), form) for day in distinct], dtype=np.bytes_)
    return names[which] if len(distinct) else np.empty(0, dtype="S1")


@lru_cache(maxsize=1 << 14)
def _day(number: int, form: str) -> str:
    day = date(1970, 1, 1) + timedelta(days=min(max(number, _FIRST_S // DAY_S), _LAST_S // DAY_S))
    if form == "iso":
        return day.isoformat()
    if form == "year":
        return str(day.year)
    return f"{DAYS[day.weekday()]} {MONTHS[day.month - 1]} {day.day:2d}"


def _zone(shift: int) -> str:
    sign = "-" if shift < 0 else "+"
    return f"{sign}{abs(shift) // 3600:02d}:{abs(shift) // 60 % 60:02d}"


def _joined(*parts: Texts | bytes) -> Texts:
    """Texts side by side; each of one width."""
    count = next(len(part) for part in parts if not isinstance(part, bytes))
    widths = [len(part) if isinstance(part, bytes) else part.dtype.itemsize for part in parts]
    out = np.empty((count, sum(widths)), dtype=np.uint8)
    at = 0
    for part, width in zip(parts, widths, strict=True):
        if isinstance(part, bytes):
            out[:, at : at + width] = np.frombuffer(part, dtype=np.uint8)
        else:
            out[:, at : at + width] = np.ascontiguousarray(part).view(np.uint8).reshape(count, width)
        at += width
    return out.view(f"S{at}").reshape(count) if at else np.zeros(count, dtype="S1")
