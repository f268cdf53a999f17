"""Numbers as people read them."""

from __future__ import annotations

import pytest

from mailscope.reports import figures


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0k"),
        (1024, "1.0k"),
        (10_200, "10k"),
        (838_258, "819k"),
        (1_048_576, "1.0M"),
        (2_300_000_000, "2.1G"),
        (5 * 1024**5, "5.0P"),
        (5 * 1024**6, "5120P"),
    ],
)
def test_sizes(value: int, told: str) -> None:
    assert figures.size(value) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "-"),
        (0, "0 s"),
        (0.0004, "0 s"),
        (0.001, "1 ms"),
        (0.03, "0.03 s"),
        (7.24, "7.2 s"),
        (61, "1.0 min"),
        (727, "12.1 min"),
        (5000, "1.4 h"),
        (400_000, "4.6 d"),
        (100 * 86_400, "100 d"),
    ],
)
def test_times(value: float | None, told: str) -> None:
    assert figures.seconds(value) == told


def test_counts_and_shares() -> None:
    assert figures.count(1_234_567) == "1,234,567"
    assert figures.share(1, 3) == "33 %"
    assert figures.share(6, 1000) == "0.6 %"
    assert figures.share(1, 0) == "0.0 %"


def test_shown_by_unit() -> None:
    assert figures.shown("2026-11-22T03:00:00+01:00", "hour") == "2026-11-22 03:00"
    assert figures.shown(None, "text") == "-"
    assert figures.shown(None, "seconds") == "-"
    assert figures.shown(550, "text") == "550"
