"""Instants for the stamps of one source: the year that BSD stamps lack, the zone, summer time.

The clock is fed the chunks of a source in order, because only the order tells when a New Year was
passed and which of the two hours before the end of summer time a stamp means.

The year: a source's first stamp is put into the latest year in which it is not more than a day after
``bound`` (when the file was last written, or the first stamp of the file that follows it, or now).
Every step back by more than six weeks is a New Year passed.  A source that would reach beyond its
bound has passed more New Years than was known when it was opened: ``YearDisproved`` says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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
)
from mailscope.intake.envelopes.rfc3164 import MONTHS

# A log that goes back by more than this has passed a New Year (a few days back is a file put together
# in the wrong order); one that leaps ahead by more than the other figure has met a line of last year.
BACK_DAYS: Final = 45
AHEAD_DAYS: Final = 320
TOLERANCE: Final = timedelta(days=1)
# A wall clock that goes back by more than this within a repeated hour is in its second pass.
FOLD_STEP_S: Final = 30 * 60


class YearDisproved(Exception):
    """A source's first year was guessed too late; it must be read again with the year before."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.source = source


@dataclass
class Clock:
    """Turns a source's stamps into UTC instants, chunk after chunk.

    ``zone``: of stamps that name none; ``bound``: no stamp can be later (plus a day's tolerance);
    ``years_back``: New Years that the source is known to pass beyond the one that the order shows.
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
    disproved: bool = field(default=False)

    def instants(self, header: Header) -> tuple[pl.Series, pl.Series | int]:
        """UTC instants (Datetime us, null where nothing tells) and how well they are known.

        A line without an instant of its own gets that of the line before it (a continuation, a line
        cut by rotation), with quality UNKNOWN.
        """
        time, quality = self._known(header)
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
        changed = stamp.ne_missing(stamp.shift())
        distinct = stamp.filter(changed)
        walls = self._walls(distinct)
        return self._zoned(walls).gather(changed.cum_sum() - 1)

    def _walls(self, stamp: pl.Series) -> pl.Series:
        number = {name: index + 1 for index, name in enumerate(MONTHS)}
        parts = pl.DataFrame({"stamp": stamp}).select(
            month=pl.col("stamp").str.slice(0, 3).replace_strict(number, default=None, return_dtype=pl.Int64),
            day=pl.col("stamp").str.slice(4, 2).str.strip_chars().cast(pl.Int64, strict=False),
            year=pl.col("stamp").str.slice(16, 4).cast(pl.Int64, strict=False),
            micros=pl.col("stamp").str.slice(7, 2).cast(pl.Int64, strict=False) * 3_600_000_000
            + pl.col("stamp").str.slice(10, 2).cast(pl.Int64, strict=False) * 60_000_000
            + pl.col("stamp").str.slice(13, 2).cast(pl.Int64, strict=False) * 1_000_000,
        )
        # A stamp that lost its month is in the month of the stamp before it.
        parts = parts.with_columns(
            pl.when(stamp.is_not_null()).then(pl.col("month").forward_fill().backward_fill())
        )
        months = parts["month"].drop_nulls()
        if not len(months):
            return pl.Series([None], dtype=TIME).new_from_index(0, len(stamp))
        if self.year is None:
            first = parts.row(parts["month"].is_not_null().arg_true()[0], named=True)
            self.year = self._first_year(first["month"], first["day"] or 1)
            self.day_of_year = first["month"] * 31 + (first["day"] or 1)
        day = parts.select(pl.col("month").forward_fill() * 31 + pl.col("day")).to_series().forward_fill()
        day = day.fill_null(self.day_of_year)
        step = day.diff().fill_null(day[0] - self.day_of_year)
        passed = pl.select(
            pl.when(step < -BACK_DAYS).then(1).when(step > AHEAD_DAYS).then(-1).otherwise(0)
        ).to_series()
        year = passed.cum_sum() + self.year
        self.year = int(year[-1])
        self.day_of_year = int(day[-1])
        walls = parts.select(
            (days_since_1970(pl.coalesce(pl.col("year"), year), pl.col("month"), pl.col("day")))
            * 86_400_000_000
            + pl.col("micros")
        ).to_series()
        latest = walls.max()
        limit = self.bound.astimezone(self.zone).replace(tzinfo=UTC) + TOLERANCE
        if isinstance(latest, int) and latest > int(limit.timestamp() * 1_000_000):
            self.disproved = True
        return walls.cast(TIME)

    def _first_year(self, month: int, day: int) -> int:
        limit = self.bound.astimezone(self.zone) + TOLERANCE
        year = limit.year
        if (month, day) > (limit.month, limit.day):
            year -= 1
        if (month, day) == (2, 29):
            while year % 4 or (year % 100 == 0 and year % 400):
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
