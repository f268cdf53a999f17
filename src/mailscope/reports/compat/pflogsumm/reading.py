"""From sources to a Summary: chunks are read in order, taken apart side by side, and added up in order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

import polars as pl

from mailscope.reports.compat.pflogsumm import current, older
from mailscope.reports.compat.pflogsumm.hands import Hands
from mailscope.reports.compat.pflogsumm.lines import Matched, Reader
from mailscope.reports.compat.pflogsumm.options import Settings
from mailscope.reports.compat.pflogsumm.picked import Done, Picked
from mailscope.reports.compat.pflogsumm.stamps import Calendar, Day
from mailscope.reports.compat.pflogsumm.summary import Summary

_CHUNK_BITS: Final = 32


def summarise(chunks: Iterable[bytes], settings: Settings) -> Summary:
    """Count everything in chunks of whole lines."""
    summary = Summary(settings)
    reader = reader_of(settings)
    with Hands(settings, lambda chunk, number: take_apart(chunk, number, reader, settings)) as hands:
        for done in hands.in_order(chunks):
            summary.add(done)
    summary.finish()
    return summary


def reader_of(settings: Settings) -> Reader:
    """What reads the lines that these settings are about."""
    return Reader(
        Calendar(settings.release, settings.now.date(), settings.days),
        settings.syslog_name,
        keep_unread=settings.unread_file is not None,
        with_sessions=any(map(settings.has, ("smtpd-stats", "pscrn-stats", "ssl-tls-stats"))),
    )


def take_apart(chunk: bytes, number: int, reader: Reader, settings: Settings) -> Done:
    """Read one chunk; ``number`` is its place among all."""
    matched = reader.read(chunk)
    lines, runs = _with_runs(matched, number)
    pick = current.pick if settings.current else older.pick
    picked = pick(lines, settings) if len(lines) else Picked()
    picked.unread = matched.unread
    return Done(picked, runs, matched.first, matched.last)


def _with_runs(matched: Matched, number: int) -> tuple[pl.DataFrame, list[Day]]:
    """Number the runs of lines of one day of the month, and give the day that each begins with."""
    lines, days = matched.lines, matched.days
    if not len(lines):
        return lines, []
    places = list(range(len(days)))
    of_month = lines["date"].replace_strict(places, [day.day for day in days], return_dtype=pl.Int64)
    changes = (of_month != of_month.shift(1)).fill_null(True)
    begins = [days[place] for place in lines["date"].filter(changes).to_list()]
    midnight = lines["date"].replace_strict(places, [_seconds(day) for day in days], return_dtype=pl.Int64)
    return lines.with_columns(
        pl.col("row").cast(pl.UInt64) + (number << _CHUNK_BITS),
        (changes.cum_sum().cast(pl.Int64) - 1).alias("run"),
        (midnight + lines["second"].cast(pl.Int64)).alias("second"),
    ), begins


def _seconds(day: Day) -> int:
    """Seconds from a fixed day to the beginning of this one; 0 where there is no such day."""
    try:
        return date(day.year, day.month + 1, day.day).toordinal() * 86_400
    except ValueError:
        return 0
