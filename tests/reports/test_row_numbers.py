"""Lists of row numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailscope.reports.row_numbers import read, written


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1", [1]),
        ("1-3,7", [1, 2, 3, 7]),
        ("7,1", [7, 1]),
        ("2,1-3", [2, 1, 3]),
        ("10", [10]),
        ("11", None),
        ("0", None),
        ("3-1", None),
        ("1-", None),
        ("", None),
        ("2026-11-22", None),
        ("example.org", None),
    ],
)
def test_read(text: str, numbers: list[int] | None) -> None:
    assert read(text, 10) == numbers


@given(st.sets(st.integers(1, 50), min_size=1))
def test_what_is_written_can_be_read(numbers: set[int]) -> None:
    assert read(written(sorted(numbers)), 50) == sorted(numbers)


def test_runs_are_short() -> None:
    assert written([1, 2, 3, 5, 6, 8]) == "1-3,5-6,8"
