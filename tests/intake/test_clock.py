"""Instants from stamps: the year that is not logged, the zone, the two hours of one night in autumn."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from running import UTC_ZONE

from mailscope.intake.clock import Clock, days_since_1970
from mailscope.intake.envelopes.header import EXACT, UNKNOWN, YEAR_INFERRED, ZONE_ASSUMED
from mailscope.intake.lines import parse_lines

BERLIN = ZoneInfo("Europe/Berlin")


def clock(bound: str, zone: ZoneInfo = UTC_ZONE, **more: Any) -> Clock:
    return Clock("test", zone, datetime.fromisoformat(bound).replace(tzinfo=UTC_ZONE), **more)


def chunk(*stamps: str) -> bytes:
    return b"".join(f"{stamp} mx1 a[1]: x\n".encode() for stamp in stamps)


def told(teller: Clock, *stamps: str) -> list[datetime | None]:
    """The instants of a chunk of lines with these stamps."""
    return teller.instants(parse_lines(chunk(*stamps)).header)[0].to_list()


def years(teller: Clock, *stamps: str) -> list[int | None]:
    return [None if instant is None else instant.year for instant in told(teller, *stamps)]


def qualities(teller: Clock, data: bytes) -> list[int]:
    times, quality = teller.instants(parse_lines(data).header)
    return quality.to_list() if isinstance(quality, pl.Series) else [quality] * len(times)


# The year


@pytest.mark.parametrize(
    ("bound", "stamp", "year"),
    [
        ("2026-11-23T12:00", "Nov 23 11:59:00", 2026),
        ("2026-11-23T12:00", "Nov 24 11:59:00", 2026),  # a day ahead may be a clock that is wrong
        ("2026-11-23T12:00", "Nov 25 00:00:00", 2025),
        ("2026-11-23T12:00", "Dec 31 23:59:59", 2025),
        ("2026-01-01T00:00", "Dec 31 23:59:59", 2025),
        ("2025-12-31T23:59", "Jan  1 00:30:00", 2026),
        ("2026-01-01T00:30", "Jan  1 00:00:00", 2026),
        ("2024-03-01T12:00", "Feb 29 12:00:00", 2024),
        ("2026-03-01T12:00", "Feb 29 12:00:00", 2024),
        ("2024-02-28T12:00", "Feb 29 06:00:00", 2024),
        ("1905-03-01T12:00", "Feb 29 12:00:00", None),  # 1904: before there was a syslog
    ],
)
def test_the_latest_year_that_is_not_in_the_future(bound: str, stamp: str, year: int | None) -> None:
    assert years(clock(bound), stamp) == [year]


def test_the_bound_is_a_reading_of_the_zone_too() -> None:
    """In Kiritimati it was the first of January already, fourteen hours before Greenwich."""
    assert told(clock("2025-12-30T23:30", ZoneInfo("Pacific/Kiritimati")), "Jan  1 01:00:00") == [
        datetime(2025, 12, 31, 11, 0)
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 99])
def test_new_year_is_passed(size: int) -> None:
    stamps = [
        "Dec 31 23:59:58",
        "Dec 31 23:59:59",
        "Jan  1 00:00:00",
        "Dec 31 23:59:59",
        "Jan  1 00:00:01",
        "Feb  1 00:00:00",
    ]
    teller = clock("2026-02-01T12:00")
    got = [year for at in range(0, len(stamps), size) for year in years(teller, *stamps[at : at + size])]
    assert got == [2025, 2025, 2026, 2025, 2026, 2026]
    assert teller.year == 2026
    assert not teller.disproved


def test_a_few_days_back_is_no_new_year() -> None:
    assert (
        years(clock("2026-06-30T00:00"), "Jun 20 00:00:00", "May 10 00:00:00", "Jun 21 00:00:00")
        == [2026] * 3
    )


@pytest.mark.parametrize(
    ("bound", "stamps", "back"),
    [
        ("2026-11-23T12:00", ["Mar  1 00:00:00", "Dec  1 00:00:00", "Feb  1 00:00:00"], 1),
        ("2026-11-23T12:00", ["Mar  1 00:00:00", "Dec  1 00:00:00", "Feb  1 00:00:00", "Dec  1 00:00:00", "Jun  1 00:00:00"], 2),
        ("2026-11-23T12:00", ["Dec  1 00:00:00", "Feb  1 00:00:00"], 0),
        ("2026-03-01T00:00", ["Feb  1 00:00:00", "Feb 29 00:00:00"], 2),  # 2024
        ("2027-03-01T00:00", ["Jan  1 00:00:00", "Feb 29 00:00:00", "Dec 31 00:00:00"], 3),
        ("2104-03-01T00:00", ["Feb  1 00:00:00", "Feb 29 00:00:00"], 0),
        ("2103-03-01T00:00", ["Feb  1 00:00:00", "Feb 29 00:00:00"], 7),  # 2100 has none
    ],
)  # fmt: skip
def test_a_log_that_began_in_an_earlier_year_says_so(bound: str, stamps: list[str], back: int) -> None:
    teller = clock(bound)
    told(teller, *stamps)
    while teller.disproved:
        teller = clock(bound, years_back=teller.years_back + teller.disproved)
        instants = told(teller, *stamps)
        assert None not in instants
    assert teller.years_back == back


def test_two_leap_days_that_contradict_each_other_end_the_search() -> None:
    """The second one is damage; its line gets the instant of the one before."""
    stamps = ["Feb 28 10:00:00", "Feb 29 10:00:00", "Dec  1 00:00:00", "Feb 28 11:00:00", "Feb 29 11:00:00"]
    bound = "2026-11-23T12:00"
    teller = clock(bound, years_back=0)
    told(teller, *stamps)
    rounds = 0
    while teller.disproved and rounds < 9:
        rounds += 1
        teller = clock(bound, years_back=teller.years_back + teller.disproved)
        instants = told(teller, *stamps)
    assert rounds < 9
    assert instants == [
        datetime(2024, 2, 28, 10), datetime(2024, 2, 29, 10), datetime(2024, 12, 1), datetime(2025, 2, 28, 11),
        datetime(2025, 2, 28, 11),
    ]  # fmt: skip


def test_nothing_is_ever_more_than_a_day_ahead() -> None:
    teller = clock("2026-11-23T12:00")
    told(teller, "Nov 24 11:59:59")
    assert not teller.disproved
    teller = clock("2026-11-23T12:00")
    told(teller, "Nov 20 00:00:00", "Nov 24 12:00:01")
    assert teller.disproved == 1


def test_a_year_that_is_logged_is_believed() -> None:
    teller = clock("2026-11-23T12:00")
    stamps = "Nov 22 2031 04:00:00", "Nov 22 04:00:00", "2031-11-22 04:00:00", "2031-11-22T04:00:00Z"
    assert years(teller, *stamps) == [2031, 2026, 2031, 2031]
    assert not teller.disproved


@pytest.mark.parametrize("size", [1, 2, 99])
def test_a_stamp_without_its_month_is_in_the_month_before_it(size: int) -> None:
    stamps = ["30 10:00:00", "Nov 30 10:00:01", "30 10:00:02", "Dec  1 00:00:00", "2 00:00:00"]
    # The month of a source's first lines is told by its first whole stamp.
    teller = clock("2026-12-05T00:00", month=11)
    got = [instant for at in range(0, len(stamps), size) for instant in told(teller, *stamps[at : at + size])]
    assert got == [
        datetime(2026, 11, 30, 10), datetime(2026, 11, 30, 10, 0, 1), datetime(2026, 11, 30, 10, 0, 2),
        datetime(2026, 12, 1), datetime(2026, 12, 2),
    ]  # fmt: skip


# What is no instant


@pytest.mark.parametrize(
    "stamp",
    [
        "Nov  0 10:00:00",
        "Nov 31 10:00:00",
        "Feb 30 10:00:00",
        "Nov 22 24:00:00",
        "Nov 22 10:60:00",
        "Nov 22 10:00:61",
        "Nov 39 29:59:69",
    ],
)
def test_an_impossible_stamp_is_not_taken_for_another_instant(stamp: str) -> None:
    teller = clock("2026-11-23T12:00")
    data = chunk("Nov 22 09:00:00", stamp, "Nov 22 09:00:01")
    times, quality = teller.instants(parse_lines(data).header)
    assert times.to_list() == [
        datetime(2026, 11, 22, 9),
        datetime(2026, 11, 22, 9),
        datetime(2026, 11, 22, 9, 0, 1),
    ]
    assert isinstance(quality, pl.Series)
    assert quality.to_list() == [YEAR_INFERRED, UNKNOWN, YEAR_INFERRED]


@pytest.mark.parametrize(
    "line",
    [
        b"0000-01-01T00:00:00Z mx1 a[1]: x",
        b"1969-12-31T23:59:59Z mx1 a[1]: x",
        b"9999-12-31T23:59:59-01:00 mx1 a[1]: x",
        b"Nov 22 0000 04:00:42 mx1 a[1]: x",
        b"@40000fff6b0268921845b8e4 x",
        b"@3fffffff6b0268921845b8e4 x",
        b"99999999999.000000 x",
    ],
)
def test_instants_that_cannot_be_are_unknown(line: bytes) -> None:
    assert qualities(clock("2026-11-23T12:00"), line) == [UNKNOWN]
    teller = clock("2026-11-23T12:00")
    good = b"Nov 22 09:00:00 mx1 a[1]: x\n"
    times, _ = teller.instants(parse_lines(good + line + b"\n" + good).header)
    assert times.to_list() == [datetime(2026, 11, 22, 9)] * 3


# Lines without a stamp


@pytest.mark.parametrize("size", [1, 2, 99])
def test_a_line_without_a_stamp_gets_that_of_the_line_before(size: int) -> None:
    lines = [
        b"cut off\n",
        b"too\n",
        chunk("Nov 22 09:00:00"),
        b"more\n",
        b"and more\n",
        chunk("Nov 22 10:00:00"),
        b"end\n",
    ]
    nine, ten = datetime(2026, 11, 22, 9), datetime(2026, 11, 22, 10)
    # What stands before the first stamp gets that one; the sources look ahead for it.
    teller = clock("2026-11-23T12:00", last=nine)
    times: list[Any] = []
    quality: list[int] = []
    for at in range(0, len(lines), size):
        header = parse_lines(b"".join(lines[at : at + size])).header
        found, known = teller.instants(header)
        times += found.to_list()
        quality += known.to_list() if isinstance(known, pl.Series) else [known] * len(found)
    assert times == [nine] * 5 + [ten] * 2
    assert quality == [UNKNOWN, UNKNOWN, YEAR_INFERRED, UNKNOWN, UNKNOWN, YEAR_INFERRED, UNKNOWN]


def test_a_log_without_any_stamps() -> None:
    times, quality = clock("2026-11-23T12:00").instants(parse_lines(b"a\nb\n").header)
    assert times.to_list() == [None, None]
    assert set(quality if isinstance(quality, pl.Series) else [quality]) == {UNKNOWN}


def test_nothing_at_all() -> None:
    times, _ = clock("2026-11-23T12:00").instants(parse_lines(b"\n").header)
    assert times.to_list() == []


@pytest.mark.parametrize("turn", range(5))
def test_time_quality_tells_how_an_instant_is_known(turn: int) -> None:
    lines = [
        (b"Nov 22 09:00:00 mx1 a[1]: x", YEAR_INFERRED),
        (b"2026-11-22 09:00:00 mx1 a[1]: x", ZONE_ASSUMED),
        (b"2026-11-22T09:00:00Z mx1 a[1]: x", EXACT),
        (b"Nov 22 09:00:00 mx1 qmail: 1795338000.000000 new msg 1", EXACT),
        (b"Nov 22 2026 09:00:00 mx1 a[1]: x", ZONE_ASSUMED),
    ]
    lines = lines[turn:] + lines[:turn]
    data = b"\n".join(line for line, _ in lines)
    assert qualities(clock("2026-11-23T12:00"), data) == [quality for _, quality in lines]
    assert set(told(clock("2026-11-23T12:00"))) == set()
    times, _ = clock("2026-11-23T12:00").instants(parse_lines(data).header)
    assert set(times) == {datetime(2026, 11, 22, 9)}


# Zones


@pytest.mark.parametrize(
    ("zone", "stamp", "wanted"),
    [
        ("UTC", "Nov 22 09:00:00", datetime(2026, 11, 22, 9)),
        ("Etc/GMT+5", "Nov 22 09:00:00", datetime(2026, 11, 22, 14)),
        ("America/New_York", "Nov 22 09:00:00", datetime(2026, 11, 22, 14)),
        ("America/New_York", "Jul 22 09:00:00", datetime(2026, 7, 22, 13)),
        ("Asia/Kathmandu", "2026-07-22 09:00:00", datetime(2026, 7, 22, 3, 15)),
        ("Europe/Berlin", "Nov 22 00:30:00", datetime(2026, 11, 21, 23, 30)),
    ],
)
def test_stamps_without_a_zone_are_in_the_zone_of_the_source(zone: str, stamp: str, wanted: datetime) -> None:
    assert told(clock("2026-11-23T12:00", ZoneInfo(zone)), stamp) == [wanted]


# Berlin's clocks went back from 3:00 to 2:00 on 25 October 2026, at 1:00 UTC.
AUTUMN = [
    ("Oct 25 01:59:59", datetime(2026, 10, 24, 23, 59, 59)),
    ("Oct 25 02:00:00", datetime(2026, 10, 25, 0, 0)),
    ("Oct 25 02:29:00", datetime(2026, 10, 25, 0, 29)),
    ("Oct 25 02:28:58", datetime(2026, 10, 25, 0, 28, 58)),  # syslog was a little late
    ("Oct 25 02:59:59", datetime(2026, 10, 25, 0, 59, 59)),
    ("Oct 25 02:00:00", datetime(2026, 10, 25, 1, 0)),
    ("Oct 25 02:29:00", datetime(2026, 10, 25, 1, 29)),
    ("Oct 25 02:28:58", datetime(2026, 10, 25, 1, 28, 58)),
    ("Oct 25 02:59:59", datetime(2026, 10, 25, 1, 59, 59)),
    ("Oct 25 03:00:00", datetime(2026, 10, 25, 2, 0)),
]


@pytest.mark.parametrize("form", ["%s", "2026 %s"])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 99])
def test_the_repeated_hour_in_autumn_keeps_its_order(size: int, form: str) -> None:
    teller = clock("2026-11-23T12:00", BERLIN)
    got: list[Any] = []
    for at in range(0, len(AUTUMN), size):
        got += told(teller, *(form % stamp for stamp, _ in AUTUMN[at : at + size]))
    assert got == [wanted for _, wanted in AUTUMN]


def test_each_autumn_has_its_own_repeated_hour() -> None:
    """The second pass of one year is over when the next year's first begins."""
    teller = clock("2026-11-23T12:00", BERLIN, years_back=1)
    told(teller, "Oct 26 02:30:00", "Oct 26 02:10:00", "Dec 31 00:00:00", "Mar  1 00:00:00")
    assert told(teller, "Oct 25 02:30:00", "Oct 25 02:45:00") == [
        datetime(2026, 10, 25, 0, 30), datetime(2026, 10, 25, 0, 45)
    ]  # fmt: skip


def test_half_an_hour_back_on_lord_howe() -> None:
    teller = clock("2026-11-23T12:00", ZoneInfo("Australia/Lord_Howe"))
    got = told(teller, "Apr  5 01:29:00", "Apr  5 01:59:00", "Apr  5 01:31:00", "Apr  5 02:00:00")
    assert got == [
        datetime(2026, 4, 4, 14, 29), datetime(2026, 4, 4, 14, 59), datetime(2026, 4, 4, 15, 1), datetime(2026, 4, 4, 15, 30)
    ]  # fmt: skip


def test_the_hour_that_is_left_out_in_spring() -> None:
    """A stamp within it is of a clock that was not put forward yet."""
    teller = clock("2026-11-23T12:00", BERLIN)
    assert told(teller, "Mar 29 01:59:59", "Mar 29 02:30:00", "Mar 29 03:00:00") == [
        datetime(2026, 3, 29, 0, 59, 59), datetime(2026, 3, 29, 1, 30), datetime(2026, 3, 29, 1, 0)
    ]  # fmt: skip


# The calendar


def test_days_since_1970() -> None:
    days = [datetime(1970, 1, 1) + timedelta(days=number * 97) for number in range(-200, 2000)]
    frame = pl.DataFrame(
        {"y": [day.year for day in days], "m": [day.month for day in days], "d": [day.day for day in days]}
    )
    got = frame.select(days_since_1970(pl.col("y"), pl.col("m"), pl.col("d"))).to_series().to_list()
    assert got == [(day - datetime(1970, 1, 1)).days for day in days]
