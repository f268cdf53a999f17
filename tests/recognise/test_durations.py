"""Spans of time as Sendmail, Exim and OpenSMTPD write them."""

from __future__ import annotations

import polars as pl
import pytest

from mailscope.recognise.durations import seconds, seconds_of

SPANS = {
    "12": 12.0,
    "0.4": 0.4,
    "00:01:02": 62.0,
    "1+02:03:04": 93_784.0,
    "1m2s": 62.0,
    "0s": 0.0,
    "1d2h3m4.005s": 93_784.005,
    "2w": 1_209_600.0,
}


@pytest.mark.parametrize("text", SPANS)
def test_one_span(text: str) -> None:
    assert seconds_of(text) == pytest.approx(SPANS[text])


def test_a_column() -> None:
    frame = pl.DataFrame({"delay_s": [*SPANS, "1:2", None]})
    assert frame.select(seconds(pl.col("delay_s")))["delay_s"].to_list() == [
        *(pytest.approx(value) for value in SPANS.values()),
        None,
        None,
    ]


def test_what_is_no_span() -> None:
    with pytest.raises(ValueError, match="not a span of time: soon"):
        seconds_of("soon")
