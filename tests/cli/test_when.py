"""Times as people type them, across zones, changes of the clocks and wrong input."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailscope.cli.when import parse_since, parse_until, parse_when
from mailscope.vocabulary.errors import UsageError

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 7, 15, 12, 30, 45, 123456, tzinfo=UTC)  # a Wednesday, 14:30:45 in Berlin


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-01", "2026-02-28 23:00"),
        ("2026-03-01 14:00", "2026-03-01 13:00"),
        ("2026-03-01T14:00", "2026-03-01 13:00"),
        ("2026-03-01t14:00:05", "2026-03-01 13:00:05"),
        ("2026-03-01 14:00:05.25", "2026-03-01 13:00:05.250000"),
        ("2026-03-01T14:00:05,123456789", "2026-03-01 13:00:05.123456"),
        ("2026-03-01T14:00:05Z", "2026-03-01 14:00:05"),
        ("2026-03-01 14:00 UTC", "2026-03-01 14:00"),
        ("2026-03-01T14:00:05-05:30", "2026-03-01 19:30:05"),
        ("2026-03-01 14:00+0200", "2026-03-01 12:00"),
        ("20260301140005", "2026-03-01 13:00:05"),
        ("now", "2026-07-15 12:30:45.123456"),
        ("  Now ", "2026-07-15 12:30:45.123456"),
        ("today", "2026-07-14 22:00"),
        ("yesterday", "2026-07-13 22:00"),
        ("tomorrow", "2026-07-15 22:00"),
        ("wednesday", "2026-07-14 22:00"),
        ("last wednesday", "2026-07-07 22:00"),
        ("Monday", "2026-07-12 22:00"),
        ("last monday", "2026-07-12 22:00"),
        ("thu", "2026-07-08 22:00"),
        ("monday 9:30", "2026-07-13 07:30"),
        ("yesterday  23:59:59", "2026-07-14 21:59:59"),
        ("8:05", "2026-07-15 06:05"),
        ("23:00:30", "2026-07-15 21:00:30"),
        ("2 hours ago", "2026-07-15 10:30:45.123456"),
        ("30 min ago", "2026-07-15 12:00:45.123456"),
        ("1h 30min ago", "2026-07-15 11:00:45.123456"),
        ("90s ago", "2026-07-15 12:29:15.123456"),
        ("3 days ago", "2026-07-12 12:30:45.123456"),
        ("1 week ago", "2026-07-08 12:30:45.123456"),
        ("1 month ago", "2026-06-15 12:30:45.123456"),
        ("2 years ago", "2024-07-15 12:30:45.123456"),
        ("-5days", "2026-07-10 12:30:45.123456"),
        ("+5min", "2026-07-15 12:35:45.123456"),
        ("- 1 day", "2026-07-14 12:30:45.123456"),
        ("@0", "1970-01-01 00:00"),
        ("@1774792800", "2026-03-29 14:00"),
        ("@1774792800.5", "2026-03-29 14:00:00.500000"),
        ("@-1.5", "1969-12-31 23:59:58.500000"),
    ],
)
def test_words_become_an_instant(text: str, instant: str) -> None:
    when = parse_when(text, NOW, BERLIN)
    assert when == utc(instant)
    assert when.tzinfo is UTC
    assert parse_since(text, NOW, BERLIN) == when


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("2026-03-01", "2026-03-01 23:00"),
        ("2026-12-31", "2026-12-31 23:00"),
        ("today", "2026-07-15 22:00"),
        ("yesterday", "2026-07-14 22:00"),
        ("monday", "2026-07-13 22:00"),
        ("2026-03-01 00:00", "2026-02-28 23:00"),
        ("10:00", "2026-07-15 08:00"),
        ("2 days ago", "2026-07-13 12:30:45.123456"),
        ("now", "2026-07-15 12:30:45.123456"),
    ],
)
def test_until_a_day_is_its_end_and_anything_else_that_instant(text: str, end: str) -> None:
    assert parse_until(text, NOW, BERLIN) == utc(end)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-07-01", 24)])
def test_a_day_on_which_the_clocks_change_is_whole(day: str, hours: int) -> None:
    assert parse_until(day, NOW, BERLIN) - parse_since(day, NOW, BERLIN) == timedelta(hours=hours)


def test_a_time_that_happens_twice_opens_at_the_first_and_closes_at_the_second() -> None:
    twice = "2026-10-25 02:30"
    assert parse_since(twice, NOW, BERLIN) == utc("2026-10-25 00:30")
    assert parse_until(twice, NOW, BERLIN) == utc("2026-10-25 01:30")


def test_a_time_that_the_clocks_jump_over_is_moved_by_the_jump() -> None:
    jumped = "2026-03-29 02:30"
    assert parse_since(jumped, NOW, BERLIN) == utc("2026-03-29 01:30")  # 03:30 in summer time
    assert parse_until(jumped, NOW, BERLIN) == utc("2026-03-29 01:30")


@pytest.mark.parametrize("now", ["2026-10-25 00:30", "2026-10-25 01:30"])
def test_now_and_elapsed_spans_do_not_jump_in_the_doubled_hour(now: str) -> None:
    instant = utc(now)
    for parse in (parse_since, parse_until):
        assert parse("now", instant, BERLIN) == instant
        assert parse("10 min ago", instant, BERLIN) == instant - timedelta(minutes=10)


def test_a_day_ago_is_the_same_time_of_day_and_24_hours_ago_is_not() -> None:
    now = utc("2026-03-29 10:00")  # 12:00 in Berlin, the day summer time began
    assert parse_when("1 day ago", now, BERLIN) == utc("2026-03-28 11:00")
    assert parse_when("24 hours ago", now, BERLIN) == utc("2026-03-28 10:00")
    assert parse_when("1 day 2 hours ago", now, BERLIN) == utc("2026-03-28 09:00")


def test_a_day_without_a_midnight_begins_when_it_begins() -> None:
    cairo = ZoneInfo("Africa/Cairo")  # 2026-04-24: clocks go from 00:00 to 01:00
    assert parse_since("2026-04-24", NOW, cairo) == utc("2026-04-23 22:00")
    assert parse_until("2026-04-23", NOW, cairo) == utc("2026-04-23 22:00")


def test_a_month_before_the_31st_is_the_last_day_of_the_shorter_month() -> None:
    now = utc("2026-03-31 12:00")
    assert parse_when("1 month ago", now, UTC) == utc("2026-02-28 12:00")
    assert parse_when("1 year ago", utc("2024-02-29 12:00"), UTC) == utc("2023-02-28 12:00")


def test_today_is_the_day_of_the_zone_not_of_utc() -> None:
    late = utc("2026-07-15 23:30")  # already the 16th in Berlin
    assert parse_since("today", late, BERLIN) == utc("2026-07-15 22:00")
    assert parse_since("today", late, UTC) == utc("2026-07-15 00:00")


def test_one_day_named_twice_is_one_whole_day() -> None:
    since, until = (parse("monday", NOW, BERLIN) for parse in (parse_since, parse_until))
    assert (since, until) == (utc("2026-07-12 22:00"), utc("2026-07-13 22:00"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "soon",
        "2026-02-30",
        "2026-13-01",
        "2026-01-01 25:00",
        "2026-01-01 10:61",
        "2026-01-01 10:00:60",
        "2026-01-01T10:00+99:00",
        "26-01-01",
        "3/4",
        "03/04/2026",
        "2026-01",
        "20261301000000",
        "5 days",
        "-5 days ago",
        "5 fortnights ago",
        "ago",
        "+",
        "@",
        "@soon",
        "@999999999999",
        "999999999 years ago",
        "999999999 days ago",
        "+999999999 hours 999999999 days",
        "9999-12-31 23:59 -01:00",
        "last today",
        "monday tuesday",
        "10:00 monday",
        "10:00+02:00",
        "٢٠٢٦-01-01",
        "\x1b[2J",
    ],
)
def test_what_means_no_time_is_a_usage_error_that_lists_what_is_allowed(text: str) -> None:
    for parse in (parse_when, parse_since, parse_until):
        with pytest.raises(UsageError) as caught:
            parse(text, NOW, BERLIN)
        assert repr(text) in caught.value.what
        assert "yesterday" in caught.value.what_to_do
        assert str(caught.value).isprintable()


def test_the_end_of_time_is_a_usage_error_only_where_it_is_passed() -> None:
    assert parse_since("9999-12-31", NOW, UTC) == utc("9999-12-31 00:00")
    with pytest.raises(UsageError, match="out of range"):
        parse_until("9999-12-31", NOW, UTC)
    with pytest.raises(UsageError, match="out of range"):
        parse_since("0001-01-01", NOW, BERLIN)


def test_a_naive_now_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="aware"):
        parse_when("now", datetime(2026, 7, 15), UTC)


ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo",
                         "Asia/Kathmandu", "Pacific/Apia", "America/Havana"])  # fmt: skip
INSTANTS = st.datetimes(datetime(1971, 1, 1), datetime(2037, 1, 1))


@given(st.text())
def test_any_text_gives_an_instant_or_a_usage_error(text: str) -> None:
    for parse in (parse_since, parse_until):
        with suppress(UsageError):
            assert parse(text, NOW, BERLIN).tzinfo is UTC


@given(INSTANTS, ZONES)
def test_an_instant_written_with_its_offset_is_read_back(naive: datetime, zone: str) -> None:
    instant = naive.replace(tzinfo=UTC)
    written = instant.astimezone(ZoneInfo(zone)).isoformat(sep=" ")
    assert parse_since(written, NOW, BERLIN) == parse_until(written, NOW, BERLIN) == instant


@given(INSTANTS, ZONES)
def test_a_day_holds_its_instants_and_touches_its_neighbours(naive: datetime, zone: str) -> None:
    tz = ZoneInfo(zone)
    instant = naive.replace(tzinfo=UTC)
    day = instant.astimezone(tz).date()
    assert parse_since(day.isoformat(), NOW, tz) <= instant < parse_until(day.isoformat(), NOW, tz)
    following = (day + timedelta(days=1)).isoformat()
    assert parse_until(day.isoformat(), NOW, tz) == parse_since(following, NOW, tz)


@given(INSTANTS, ZONES)
def test_a_window_from_a_wall_clock_time_to_itself_is_never_negative(naive: datetime, zone: str) -> None:
    tz = ZoneInfo(zone)
    text = naive.isoformat(sep=" ", timespec="seconds")
    assert parse_since(text, NOW, tz) <= parse_until(text, NOW, tz)
