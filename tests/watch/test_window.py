"""Sliding windows against counting by hand, whatever the batches are."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from running import examples

from mailscope.watch.nearness import MUCH_MORE
from mailscope.watch.window import BUCKET, LAST, MOST_DISTINCT, SINCE, Measure, Window, told

BEGIN = datetime(2026, 3, 1)
ROWS = st.lists(
    st.tuples(st.integers(0, 3_000), st.sampled_from("ab"), st.sampled_from("xyz"), st.integers(0, 9)),
    max_size=60,
)
MEASURES = (
    Measure("rows"),
    Measure("values", "distinct", "value"),
    Measure("total", "sum", "size"),
)


def frame(rows: list[tuple[int, str, str, int]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "time": [BEGIN + timedelta(seconds=second) for second, *_ in rows],
            "key": [key for _, key, _, _ in rows],
            "value": [value for _, _, value, _ in rows],
            "size": [size for *_, size in rows],
        },
        schema={"time": pl.Datetime("us"), "key": pl.String, "value": pl.String, "size": pl.Int64},
    )


@given(ROWS, st.integers(1, 4), st.integers(1, 7))
@settings(max_examples=examples(40), deadline=None)
def test_every_bucket_that_reaches_the_limit_is_told(
    rows: list[tuple[int, str, str, int]], parts: int, least: int
) -> None:
    rows.sort()
    window = Window(("key",), MEASURES, 600, bucket_s=60)
    size = max(1, -(-len(rows) // parts))
    # Cut where a bucket ends: within one, what is told early may be less.
    found: dict[tuple[str, datetime], tuple[float, float, float]] = {}
    for start in range(0, len(rows), size):
        told_now = window.add(frame(rows[start : start + size]), {"rows": least})
        for row in told_now.iter_rows(named=True):
            found[row["key"], row[BUCKET]] = (row["rows"], row["values"], row["total"])
    expected = {}
    for second, key, *_ in rows:
        bucket = second // 60
        mine = [each for each in rows if each[1] == key and bucket - 10 < each[0] // 60 <= bucket]
        if len(mine) >= least:
            at = BEGIN + timedelta(minutes=bucket)
            expected[key, at] = (
                float(len(mine)),
                float(len({each[2] for each in mine})),
                float(sum(each[3] for each in mine)),
            )
    assert found == expected


@given(ROWS, st.integers(1, 7))
@settings(max_examples=examples(25), deadline=None)
def test_however_small_the_batches_the_same_buckets_are_told(
    rows: list[tuple[int, str, str, int]], least: int
) -> None:
    rows.sort()
    window = Window(("key",), MEASURES, 600, bucket_s=60)
    found: dict[tuple[str, datetime], list[float]] = {}
    for row in rows:
        for told_now in window.add(frame([row]), {"rows": least}).iter_rows(named=True):
            found.setdefault((told_now["key"], told_now[BUCKET]), []).append(told_now["rows"])
    counts = {}
    for second, key, *_ in rows:
        bucket = second // 60
        mine = [each for each in rows if each[1] == key and bucket - 10 < each[0] // 60 <= bucket]
        if len(mine) >= least:
            counts[key, BEGIN + timedelta(minutes=bucket)] = len(mine)
    assert found.keys() == counts.keys()
    for place, told_counts in found.items():
        # It may have grown by less than a tenth since it was told last.
        assert told_counts == sorted(told_counts)
        assert counts[place] / MUCH_MORE < told_counts[-1] <= counts[place]


def test_what_is_kept_does_not_grow_with_what_comes() -> None:
    window = Window(("key",), (Measure("values", "distinct", "value"),), 60)
    for part in range(5):
        rows = [(part * 3, "a", str(part * 50_000 + number), 1) for number in range(50_000)]
        told_now = window.add(frame(rows), {"values": 10})
        assert told_now["values"][-1] >= 10
    kept = sum(len(each) for each in window.state().values())
    assert kept <= 60 * MOST_DISTINCT


def test_a_late_row_is_told_by_the_window_that_ends_with_its_bucket() -> None:
    window = Window(("key",), MEASURES, 600, bucket_s=60)
    window.add(frame([(300, "a", "x", 1), (301, "a", "y", 1)]), {"rows": 2})
    late = window.add(frame([(10, "a", "z", 1), (11, "a", "z", 1)]), {"rows": 2})
    assert late.select("rows", "values").rows() == [(2.0, 1.0)]


def test_a_restart_changes_nothing() -> None:
    rows = [(second, "a", "x", 1) for second in range(0, 1_200, 60)]
    whole, first, second = (Window(("key",), MEASURES, 600) for _ in range(3))
    expected = [whole.add(frame(rows[:10]), {"rows": 8}), whole.add(frame(rows[10:]), {"rows": 8})]
    before = first.add(frame(rows[:10]), {"rows": 8})
    second.resume(first.state())
    after = second.add(frame(rows[10:]), {"rows": 8})
    assert before.equals(expected[0])
    assert after.equals(expected[1])
    assert len(after)


def test_runs_are_told_where_they_begin_peak_and_end() -> None:
    seconds = [0, 60, 120, 180, 7_200, 7_260]
    found = pl.DataFrame(
        {
            "key": ["a"] * 6,
            BUCKET: [BEGIN + timedelta(seconds=second) for second in seconds],
            SINCE: [BEGIN] * 6,
            LAST: [BEGIN + timedelta(seconds=second) for second in seconds],
            "rows": [5.0, 9.0, 8.0, 6.0, 5.0, 5.0],
        }
    )
    picked = told(found, ["key"], "rows", 1_800)
    assert picked["rows"].to_list() == [5.0, 9.0, 6.0, 5.0, 5.0]
