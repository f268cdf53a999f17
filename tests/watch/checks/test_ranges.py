"""Ranges of thresholds and what plugins print, against the words of the Monitoring Plugins guidelines."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailscope.watch.checks.plugin import Figure, Measured, Outcome, State, judged, unknown
from mailscope.watch.checks.ranges import Range, duration, plain

NUMBERS = st.one_of(
    st.integers(-(10**12), 10**12).map(float),
    st.decimals(-(10**6), 10**6, places=3, allow_nan=False).map(float),
)


@pytest.mark.parametrize(
    ("text", "quiet", "told"),
    [
        ("10", (0, 5, 10), (-0.001, 10.001, -5, math.inf)),
        ("10:", (10, 10.5, math.inf), (9.999, 0, -10)),
        (":10", (0, 10), (-1, 11)),
        ("~:10", (-math.inf, -3, 10), (10.001, 11)),
        ("10:20", (10, 15, 20), (9.999, 20.001, 0)),
        ("@10:20", (9.999, 20.001), (10, 15, 20)),
        ("@10", (-1, 11), (0, 10)),
        ("-10:-5", (-10, -7, -5), (-11, 0)),
        ("0", (0,), (-1, 1, 0.5)),
        ("~:", (-math.inf, 0, math.inf), ()),
        ("@~:", (), (-1, 0, 1)),
        ("0.5:1.5", (0.5, 1), (0.4, 1.6)),
        ("15m", (0, 900), (901,)),
        ("1h:2d", (3_600, 172_800), (3_599, 172_801)),
    ],
)
def test_what_alerts(text: str, quiet: tuple[float, ...], told: tuple[float, ...]) -> None:
    found = Range.parse(text)
    assert [value for value in quiet if found.alerts(value)] == []
    assert [value for value in told if not found.alerts(value)] == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "@",
        "@:",
        "20:10",
        "10:~",
        "a",
        "1e3",
        "nan",
        "inf",
        "10:20:30",
        "1,5",
        "10%",
        "--1",
        "1" * 400,
    ],
)
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(ValueError, match=r"it is no range|its start is above"):
        Range.parse(text)


@given(start=NUMBERS, end=NUMBERS, inside=st.booleans(), open_start=st.booleans(), open_end=st.booleans())
def test_a_range_is_written_as_it_is_read(
    start: float, end: float, inside: bool, open_start: bool, open_end: bool
) -> None:
    start, end = sorted((start, end))
    made = Range(-math.inf if open_start else start, math.inf if open_end else end, inside)
    assert Range.parse(str(made)) == made
    assert "e" not in str(made)


@given(text=st.text(alphabet="@~:.-0123456789smhd ", max_size=12), value=NUMBERS)
def test_any_text_is_a_range_or_refused(text: str, value: float) -> None:
    try:
        found = Range.parse(text)
    except ValueError:
        return
    assert found.start <= found.end
    opposite = Range(found.start, found.end, not found.inside)
    assert found.alerts(value) is not opposite.alerts(value)


def test_spans() -> None:
    assert [duration(each) for each in ("90", "90s", "15m", "1.5h", "2d")] == [90, 90, 900, 5_400, 172_800]
    for wrong in ("0", "-5m", "5 m", "m", "1w", ""):
        with pytest.raises(ValueError, match=r"it is no span"):
            duration(wrong)


@given(value=st.floats(-1e14, 1e14, allow_nan=False))
def test_numbers_have_no_exponent(value: float) -> None:
    assert re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", plain(value))
    assert abs(float(plain(value)) - value) <= 1e-6


def test_performance_data() -> None:
    warning, critical = Range.parse("10:20"), Range.parse("~:1h")
    assert (
        Figure("oldest age", 0.00001, "s").perfdata(warning, critical)
        == "'oldest age'=0.00001s;10:20;~:3600;0"
    )
    assert Figure("it's=it", 12_345_678_901, "B").perfdata() == "'it''s_it'=12345678901B;;;0"
    assert Figure("share", 99.5, "%", 0, 100).perfdata(None, critical) == "'share'=99.5%;;~:3600;0;100"
    assert Figure("nothing", None, "s").perfdata() == "'nothing'=U;;;0"
    assert Figure("free", -1.5, "", None).perfdata() == "'free'=-1.5"


def test_critical_is_looked_at_first_and_the_worst_stays() -> None:
    found = Measured((Figure("n", 30), Figure("m", 1)), "30 things")
    warning, critical = Range.parse("10"), Range.parse("20")
    outcome = judged("THINGS", found, warning, critical)
    assert outcome.state is State.CRITICAL
    assert outcome.text == "THINGS CRITICAL: 30 things | 'n'=30;10;20;0 'm'=1;;;0"
    assert judged("THINGS", found, warning, None).state is State.WARNING
    assert judged("THINGS", found, None, None).state is State.OK
    few = Measured((Figure("n", 30),), "few", few=True)
    assert judged("THINGS", few, warning, critical).state is State.OK
    troubled = Measured((Figure("n", None),), "trouble", worst=State.WARNING)
    assert judged("THINGS", troubled, warning, critical).state is State.WARNING


def test_text_of_a_log_stays_in_its_place() -> None:
    hostile = "a | 'x'=1\nDAEMON OK\x1b[2J\u202e"
    outcome = Outcome("X", State.WARNING, hostile, "'n'=1", (hostile, "z" * 1_000, *("more",) * 30))
    lines = outcome.text.splitlines()
    assert lines[0] == r"X WARNING: a / 'x'=1\nDAEMON OK\x1b[2J\u202e | 'n'=1"
    assert lines[1] == r"a / 'x'=1\nDAEMON OK\x1b[2J\u202e"
    assert len(lines[2]) == 303
    assert (len(lines), lines[-1]) == (22, "and 12 more")
    assert unknown("X", "no").text == "X UNKNOWN: no"
