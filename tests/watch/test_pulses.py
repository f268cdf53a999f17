"""Sums by pulse against counting by hand, whatever the batches are; shares and what is usual."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import examples

from mailscope.trails.tracker import Outcome
from mailscope.watch.hourly import Hourly, Limit
from mailscope.watch.pulses import PULSE, Pulses
from mailscope.watch.seen import Seen
from mailscope.watch.shares import Share, Shares, certain

BEGIN = datetime(2026, 3, 2)
HOUR = timedelta(hours=1)
ROWS = st.lists(st.tuples(st.integers(0, 3_000), st.sampled_from("ab"), st.integers(0, 3)), max_size=50)


def frame(rows: list[tuple[int, str, int]]) -> pl.DataFrame:
    return pl.DataFrame(
        [(BEGIN + timedelta(seconds=second), key, float(n)) for second, key, n in rows],
        schema={"time": pl.Datetime("us"), "key": pl.String, "n": pl.Float64},
        orient="row",
    )


def pulses() -> Pulses:
    return Pulses(("key",), ("n",), length_s=600, pulse_s=60)


@given(ROWS, st.integers(1, 5))
@settings(max_examples=examples(40), deadline=None)
def test_each_pulse_is_told_once_however_the_rows_are_cut(
    rows: list[tuple[int, str, int]], parts: int
) -> None:
    rows.sort()
    counted = pulses()
    found: list[tuple[str, datetime, float, float]] = []
    size = max(1, -(-len(rows) // parts))
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        counted.add(frame(part))
        told = counted.ended(BEGIN + timedelta(seconds=part[-1][0]))
        found += list(told.select("key", PULSE, "n", "n_own").iter_rows()) if len(told) else []
        # A restart changes nothing.
        kept, counted = counted.state(), pulses()
        counted.resume(kept)
    told = counted.ended(BEGIN + timedelta(days=1))
    found += list(told.select("key", PULSE, "n", "n_own").iter_rows()) if len(told) else []
    expected = set()
    for second, key, _ in rows:
        pulse = second // 60
        mine = [each for each in rows if each[1] == key]
        whole = sum(n for at, _, n in mine if pulse - 10 < at // 60 <= pulse)
        alone = sum(n for at, _, n in mine if at // 60 == pulse)
        expected.add((key, BEGIN + timedelta(minutes=pulse + 1), float(whole), float(alone)))
    assert len(found) == len(expected)
    assert set(found) == expected


def test_late_rows_count_in_the_next_pulse() -> None:
    counted = pulses()
    counted.add(frame([(10, "a", 1), (200, "a", 1)]))
    assert counted.ended(BEGIN + timedelta(seconds=200))["n"].to_list() == [1.0]
    counted.add(frame([(20, "a", 1)]))
    assert counted.ended(BEGIN + timedelta(seconds=260))["n"].to_list() == [3.0]


def test_a_usual_share_is_the_median_of_days() -> None:
    shares = Shares()
    for day in range(9):
        bad = 90.0 if day == 3 else 2.0
        shares.add(
            pl.DataFrame({PULSE: [BEGIN + timedelta(days=day, hours=9)], "key": ["a"], "n": [100.0], "bad": [bad]}),
            "key", "n", "bad",
        )  # fmt: skip
    at = BEGIN + timedelta(days=9, hours=9, minutes=30)
    # Neither the day of which it is asked nor one wild day counts.
    assert shares.usual("a", at) == Share(0.02, 900, 9)
    assert shares.usual("a", at, hours=1) == Share(0.02, 900, 9)
    assert shares.usual("a", at + timedelta(hours=5), hours=1) == Share(0.0, 0, 0)
    again = Shares()
    again.resume(shares.state())
    assert again.usual("a", at) == Share(0.02, 900, 9)


def test_how_certain_a_share_is() -> None:
    assert certain(10, 100, 0.1) == 0
    assert round(certain(40, 100, 0.1), 1) == 10.0


def at_hour(hour: int) -> Seen:
    """A batch as far as the hours go: one line, at the end of an hour."""
    nothing = pl.DataFrame()
    seen = Seen([], Outcome(*[nothing] * 6), nothing, BEGIN + hour * HOUR + HOUR + timedelta(seconds=20))
    hours = pl.DataFrame({"hour": [BEGIN + hour * HOUR]}, schema={"hour": pl.Datetime("us")})
    seen.derived("hourly.hours", lambda: hours)
    return seen


def of(hour: int, n: float) -> pl.DataFrame:
    return frame([(hour * 3_600 + 60, "a", 0)]).with_columns(pl.lit(float(n)).alias("n"))


def usual() -> Hourly:
    return Hourly(least=1, floor=10, gross=1_000, times=5, history_h=48)


def test_before_there_is_history_only_the_gross_limit_counts() -> None:
    levels = usual()
    for hour in range(40):
        levels.add(at_hour(hour), of(hour, 20))
    assert levels.limit("a", BEGIN + 40 * HOUR) == Limit(1_000)


def test_after_three_days_the_busiest_hour_so_far_counts_too() -> None:
    levels = Hourly(least=1, floor=10, gross=1_000, times=5, history_h=168)
    for hour in range(100):
        levels.add(at_hour(hour), of(hour, 30 if hour == 20 else 20))
    assert levels.limit("a", BEGIN + 71 * HOUR) == Limit(1_000)
    assert levels.limit("a", BEGIN + 100 * HOUR) == Limit(5 * 30)
    assert levels.limit("b", BEGIN + 100 * HOUR) == Limit(10)


def test_the_limit_is_times_the_median_and_above_the_busiest_hour() -> None:
    levels = usual()
    for hour in range(60):
        levels.add(at_hour(hour), of(hour, 300 if hour == 20 else 20))
    limit = levels.limit("a", BEGIN + 60 * HOUR + timedelta(minutes=5))
    # Hour 59, the one just over, is left out.
    assert limit == Limit(1.5 * 300, 20, 59)
    assert levels.limit("b", BEGIN + 60 * HOUR) == Limit(10, 0, 59)


def test_what_was_too_much_becomes_no_norm() -> None:
    levels, resumed = usual(), usual()
    for hour in range(70):
        levels.add(at_hour(hour), of(hour, 9_000 if hour == 60 else 20))
    assert levels.limit("a", BEGIN + 70 * HOUR).value == pytest.approx(110)
    resumed.resume(levels.state())
    assert resumed.limit("a", BEGIN + 70 * HOUR).value == pytest.approx(110)


def test_hours_without_lines_were_not_watched() -> None:
    levels = usual()
    for hour in range(0, 120, 2):
        levels.add(at_hour(hour), of(hour, 20))
    assert levels.limit("a", BEGIN + 120 * HOUR) == Limit(100, 20, 60)


def test_the_busiest_hour_is_known_when_the_oldest_hours_have_gone() -> None:
    levels, weeks = usual(), 9 * 7 * 24
    hours = [BEGIN + hour * HOUR for hour in range(weeks)]
    levels.baseline.extend(
        hours,
        pl.DataFrame(
            {"key": "a", "hour": hours, "value": 20.0}, schema_overrides={"hour": pl.Datetime("us")}
        ),
    )
    levels.limit("a", BEGIN + weeks * HOUR)
    for hour in range(weeks, weeks + 4):
        levels.add(at_hour(hour), of(hour, 300 if hour == weeks + 1 else 20))
        levels.limit("a", BEGIN + (hour + 1) * HOUR)
    assert levels.limit("a", BEGIN + (weeks + 4) * HOUR).value > 100
