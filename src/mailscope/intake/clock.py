"""Instants for the stamps of one source: the year that BSD stamps lack, the zone, summer time.

The clock is fed the chunks of a source in order, because only the order tells when a New Year was
passed and which of the two hours before the end of summer time a stamp means.

The year: a source's first stamp is put into the latest year in which it is not more than a day after
``bound`` (when the file was last written, or the first stamp of the file that follows it, or now).
Every step back by more than six weeks is a New Year passed.  A source that would reach beyond its
bound has passed more New Years than was known when it was opened, and one with a 29 February in a year
that has none began in another year: ``YearDisproved`` says so.

What cannot be an instant (30 February, 25 o'clock, the year 9999) is not taken for another one: the line
counts as one without a stamp.
"""

from __future__ import annotations

from calendar import isleap
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from mailscope.intake.envelopes.header import (
    EXACT,
    TIME,
    UNKNOWN,
    YEAR_INFERRED,
    ZONE_ASSUMED,
    Header,
    runs,
)
from mailscope.intake.envelopes.rfc3164 import MONTHS
from mailscope.vocabulary.columns import take
from mailscope.vocabulary.instants import micros

# A log that goes back by more than this has passed a New Year (a few days back is a file put together
# in the wrong order); one that leaps ahead by more than the other figure has met a line of last year.
BACK_DAYS: Final = 45
AHEAD_DAYS: Final = 320
TOLERANCE: Final = timedelta(days=1)
DAY_US: Final = 86_400_000_000
# A wall clock that goes back by more than this within a repeated hour is in its second pass.
FOLD_STEP_S: Final = 10 * 60
# Instants outside these are damage: there was no syslog before, and Python's calendar ends in 9999.
EARLIEST: Final = datetime(1970, 1, 1)
LATEST: Final = datetime(2200, 1, 1)
DAYS_OF_MONTH: Final = dict(enumerate((31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), start=1))
LONGEST_LEAP_GAP: Final = 8


class YearDisproved(Exception):
    """A source's first year was guessed too late: it must be read again, beginning ``years`` earlier."""

    def __init__(self, source: str, years: int = 1) -> None:
        super().__init__(source)
        self.source = source
        self.years = years


@dataclass
class Clock:
    """Turns a source's stamps into UTC instants, chunk after chunk.

    ``zone``: of stamps that name none; ``bound``: no stamp can be later (plus a day's tolerance);
    ``years_back``: New Years that the source is known to pass beyond the one that the order shows;
    ``last`` and ``month``: those of the line before, at first those of the source's first whole stamp,
    for lines that lack them.  ``disproved``: by how many years the source began earlier than assumed.
    """

    source: str
    zone: ZoneInfo
    bound: datetime
    years_back: int = 0
    year: int | None = None
    day_of_year: int = 0
    fold: bool = False
    wall: int = 0
    last: datetime | None = None
    month: int | None = None
    leap_day_seen: bool = False
    disproved: int = 0

    def instants(self, header: Header) -> tuple[pl.Series, pl.Series | int]:
        """UTC instants (Datetime us, null where nothing tells) and how well they are known.

        A line without an instant of its own gets that of the line before it (a continuation, a line
        cut by rotation), with quality UNKNOWN.
        """
        time, quality = self._known(header)
        time = _possible(time)
        if time.null_count():
            guessed = time.is_null()
            seeded = pl.concat([pl.Series([self.last], dtype=TIME), time])
            time = seeded.forward_fill().backward_fill().slice(1)
            quality = pl.select(
                pl.when(guessed).then(pl.lit(UNKNOWN, pl.Int8)).otherwise(_as_series(quality, len(time)))
            ).to_series()
        if len(time):
            last = time[-1]
            self.last = last if isinstance(last, datetime) else None
        return time, quality

    def _known(self, header: Header) -> tuple[pl.Series, pl.Series | int]:
        length = len(header.text)
        if header.time is not None and header.time.null_count() == 0:
            return header.time, EXACT
        options: list[tuple[pl.Series, int]] = []
        if header.time is not None:
            options.append((header.time, EXACT))
        if header.local is not None:
            options.append((self._zoned(header.local), ZONE_ASSUMED))
        if header.stamp is not None:
            options.append((self._from_stamps(header.stamp), YEAR_INFERRED))
        if not options:
            return pl.Series([None], dtype=TIME).new_from_index(0, length), UNKNOWN
        if len(options) == 1:
            return options[0]
        time = pl.select(pl.coalesce([series for series, _ in options])).to_series()
        quality = pl.lit(UNKNOWN, pl.Int8)
        for series, code in reversed(options):
            quality = pl.when(series.is_not_null()).then(pl.lit(code, pl.Int8)).otherwise(quality)
        return time, pl.select(quality).to_series()

    def _from_stamps(self, stamp: pl.Series) -> pl.Series:
        """BSD stamps; only a change of the stamp is worked out."""
        distinct, run = runs(stamp)
        return take(self._zoned(self._walls(distinct)), run)

    def _walls(self, stamp: pl.Series) -> pl.Series:
        parts = _parts(stamp, self.month)
        known = parts["month"].is_not_null()
        if not known.any():
            return pl.Series([None], dtype=TIME).new_from_index(0, len(stamp))
        if self.year is None:
            first = parts.row(int(known.arg_max() or 0), named=True)
            self.year = self._first_year(first["month"], first["day"])
            self.day_of_year = first["month"] * 31 + first["day"]
        day = parts.select(pl.col("month") * 31 + pl.col("day")).to_series().forward_fill()
        day = day.fill_null(self.day_of_year)
        step = day.diff().fill_null(day[0] - self.day_of_year)
        passed = pl.select(
            pl.when(step < -BACK_DAYS).then(1).when(step > AHEAD_DAYS).then(-1).otherwise(0)
        ).to_series()
        year = (passed.cum_sum() + self.year).alias("year")
        self.year = int(year[-1])
        self.day_of_year = int(day[-1])
        self.month = (self.day_of_year - 1) // 31
        parts = self._with_leap_days(parts.with_columns(year))
        walls = parts.select(
            days_since_1970(pl.col("year"), pl.col("month"), pl.col("day")) * DAY_US + pl.col("micros")
        ).to_series()
        latest = walls.max()
        limit = self.bound.astimezone(self.zone).replace(tzinfo=UTC) + TOLERANCE
        beyond = latest - int(limit.timestamp() * 1_000_000) if isinstance(latest, int) else 0
        if beyond > 0:
            self.disproved = max(self.disproved, 1 + beyond // (366 * DAY_US))
        return walls.cast(TIME)

    def _with_leap_days(self, parts: pl.DataFrame) -> pl.DataFrame:
        """Stamps without those of a 29 February in a year that has none.

        The first of a source tells that the year was wrong; one that contradicts another is damage.
        """
        leap_days = (parts["month"] == 2) & (parts["day"] == 29)
        if not leap_days.any():
            return parts
        years = parts["year"].filter(leap_days.fill_null(False))
        if not self.leap_day_seen and not isleap(years[0]):
            back = next(back for back in range(1, LONGEST_LEAP_GAP + 1) if isleap(years[0] - back))
            self.disproved = max(self.disproved, back)
        self.leap_day_seen = True
        wrong = leap_days & parts["year"].is_in([year for year in years.unique() if not isleap(year)])
        return parts.with_columns(pl.when(wrong).then(None).otherwise("month").alias("month"))

    def _first_year(self, month: int, day: int) -> int:
        limit = self.bound.astimezone(self.zone) + TOLERANCE
        year = limit.year
        if (month, day) > (limit.month, limit.day):
            year -= 1
        while (month, day) == (2, 29) and not isleap(year):
            year -= 1
        return year - self.years_back

    def _zoned(self, wall: pl.Series) -> pl.Series:
        """Wall-clock readings of this zone as UTC."""
        if str(self.zone) in ("UTC", "Etc/UTC", "GMT", "Etc/GMT"):
            return wall
        name = str(self.zone)
        early = wall.dt.replace_time_zone(name, ambiguous="earliest", non_existent="null")
        late = wall.dt.replace_time_zone(name, ambiguous="latest", non_existent="null")
        early = early.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        late = late.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        # An hour that the clocks skipped: the stamp is wrong by that hour, not lost.
        skipped = early.is_null() & wall.is_not_null()
        if skipped.any():
            shifted = wall.dt.offset_by("-1h")
            moved = shifted.dt.replace_time_zone(name, ambiguous="earliest", non_existent="null")
            moved = moved.dt.convert_time_zone("UTC").dt.replace_time_zone(None).dt.offset_by("1h")
            early = pl.select(pl.when(skipped).then(moved).otherwise(early)).to_series()
            late = pl.select(pl.when(skipped).then(moved).otherwise(late)).to_series()
        twice = (early != late).fill_null(False)
        if not twice.any():
            self.fold = False
            return early
        second = self._second_pass(wall.cast(pl.Int64), twice)
        return pl.select(pl.when(second).then(late).otherwise(early)).to_series()

    def _second_pass(self, wall: pl.Series, twice: pl.Series) -> pl.Series:
        """Which readings of a repeated hour belong to its second pass: those after a step back."""
        second: list[bool] = []
        for reading, ambiguous in zip(wall, twice, strict=True):
            if reading is not None:
                if not ambiguous:
                    self.fold = False
                elif self.wall - reading > FOLD_STEP_S * 1_000_000:
                    self.fold = True
                self.wall = reading
            second.append(self.fold and ambiguous)
        return pl.Series(second, dtype=pl.Boolean)


def _possible(time: pl.Series) -> pl.Series:
    """Instants without those that cannot be."""
    low, high = time.cast(pl.Int64).min(), time.cast(pl.Int64).max()
    if not isinstance(low, int) or not isinstance(high, int):
        return time
    if low >= micros(EARLIEST) and high < micros(LATEST):
        return time
    return pl.select(pl.when((time >= EARLIEST) & (time < LATEST)).then(time).alias("time")).to_series()


def _parts(stamp: pl.Series, month_before: int | None) -> pl.DataFrame:
    """Month, day and time of day (``micros``) of stamps; null where there is no such day or time."""
    number = {name: index + 1 for index, name in enumerate(MONTHS)}
    text = pl.col("stamp").str
    hour, minute, second = (text.slice(at, 2).cast(pl.Int64, strict=False) for at in (7, 10, 13))
    parts = pl.DataFrame({"stamp": stamp}).select(
        month=text.slice(0, 3).replace_strict(number, default=None, return_dtype=pl.Int64),
        day=text.slice(4, 2).str.strip_chars().cast(pl.Int64, strict=False),
        micros=pl.when(hour < 24, minute < 60, second <= 60).then(
            ((hour * 60 + minute) * 60 + second) * 1_000_000
        ),
    )
    # A stamp that lost its month is in the month of the stamp before it.
    before = pl.Series([month_before], dtype=pl.Int64)
    months = pl.concat([before, parts["month"]]).forward_fill().backward_fill().slice(1)
    last_day = months.replace_strict(DAYS_OF_MONTH, default=None, return_dtype=pl.Int64)
    valid = pl.lit(stamp.is_not_null()) & (pl.col("day") >= 1) & (pl.col("day") <= last_day)
    valid &= pl.col("micros").is_not_null()
    return parts.with_columns(
        pl.when(valid).then(months).alias("month"), pl.when(valid).then("day").alias("day")
    )


def days_since_1970(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """Days from 1970-01-01 in the Gregorian calendar; plain arithmetic, so that no date is refused.

    Years begin in March here, which puts the leap day last.
    """
    shifted = year - (month <= 2).cast(pl.Int64)
    era_year = shifted % 400
    in_year = ((month + 9) % 12 * 153 + 2) // 5 + day - 1
    in_era = era_year * 365 + era_year // 4 - era_year // 100 + in_year
    return shifted // 400 * 146_097 + in_era - 719_468


def _as_series(quality: pl.Series | int, length: int) -> pl.Series:
    if isinstance(quality, pl.Series):
        return quality.cast(pl.Int8)
    return pl.Series([quality], dtype=pl.Int8).new_from_index(0, length)
