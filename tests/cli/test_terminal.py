"""Hostile text cannot drive a terminal, leave its column or run in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailscope.cli.terminal import columns, csv_safe, fit, safe

ANY_TEXT = st.text(st.characters())  # lone surrogates too
HOSTILE = st.text(
    st.sampled_from("ab\t\x00\x1b[]\x7f\x9b\u202e\u2066\u200d\u2028\ud800\U000e0041\u00e9\u4e00\u0301")
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("plain ASCII, 100 % of it\\n", "plain ASCII, 100 % of it\\n"),
        ("a\tb", "a\tb"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\x9b2Jb", "a\\x9b2Jb"),
        ("\x00\r\n\x7f\x85", "\\x00\\x0d\\x0a\\x7f\\x85"),
        ("user\u202egnp.exe", "user\\u202egnp.exe"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("a\u2028b\u2029c", "a\\u2028b\\u2029c"),
        ("zero\u200bwidth\ufeff\u00ad", "zero\\u200bwidth\\ufeff\\xad"),
        ("\U000e0041", "\\U000e0041"),
        ("bad \udcff byte", "bad \\udcff byte"),
        ("Grüße, 世界 ✓ 😀", "Grüße, 世界 ✓ 😀"),
        ("e\u0301 \u00a0", "e\u0301 \u00a0"),
    ],
)
def test_safe_shows_what_a_terminal_would_obey(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_safe_escapes_exactly_the_categories_it_names() -> None:
    unsafe = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        category = unicodedata.category(char)
        if char == "\t":
            assert safe(char) == char
        elif category in unsafe:
            assert safe(char) != char, f"U+{code:04X}"
        elif category != "Cn":  # unassigned here may be a control character in a newer Unicode
            assert safe(char) == char, f"U+{code:04X}"


@given(ANY_TEXT | HOSTILE)
def test_safe_is_printable_encodable_and_done_once(text: str) -> None:
    shown = safe(text)
    shown.encode("utf-8")
    assert not any(
        unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in shown if char != "\t"
    )
    assert safe(shown) == shown


@given(ANY_TEXT | HOSTILE)
def test_safe_loses_nothing(text: str) -> None:
    def back(match: re.Match[str]) -> str:
        return chr(int(match[1] or match[2] or match[3], 16))

    escape = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")
    if "\\" not in text:
        assert escape.sub(back, safe(text)) == text


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
        ("abc", -1, ""),
        ("", 5, ""),
        ("世界", 4, "世界"),
        ("世界", 3, "世…"),
        ("世界", 2, "…"),
        ("e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
        ("a\tb", 3, "a b"),
        ("\x1b[2J", 4, "\\x1…"),
    ],
)
def test_fit_cuts_at_the_column(text: str, width: int, shown: str) -> None:
    assert fit(text, width) == shown


@given(ANY_TEXT | HOSTILE, st.integers(0, 40))
def test_fit_never_takes_more_than_its_columns(text: str, width: int) -> None:
    shown = fit(text, width)
    assert columns(shown) <= width
    assert "\t" not in shown
    assert safe(shown) == shown
    whole = safe(text).replace("\t", " ")
    if columns(whole) <= width:
        assert shown == whole
    elif width:
        assert shown.endswith("…")
        assert whole.startswith(shown[:-1])


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("", ""),
        ("alice@example.org", "alice@example.org"),
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2+3", "'-2+3"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("\uff1d1", "'\uff1d1"),
        ("-", "'-"),
        ("-5", "-5"),
        ("+3.25", "+3.25"),
        ("-.5", "-.5"),
        ("-1e-9", "-1e-9"),
        ("-1\n", "'-1\n"),
        ("-٣", "'-٣"),
        ("0.12", "0.12"),
        ("'=x", "'=x"),
        ("a=b", "a=b"),
    ],
)
def test_csv_safe_marks_formulas_and_leaves_numbers(text: str, cell: str) -> None:
    assert csv_safe(text) == cell


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_stay_numbers(value: float) -> None:
    assert csv_safe(str(value)) == str(value)


@given(st.text(st.sampled_from("=+-@\t\r\n1.ae,\"'")))
def test_no_cell_begins_like_a_formula_even_after_quoting(text: str) -> None:
    cell = csv_safe(text)
    assert cell.removeprefix("'") == text.removeprefix("'")
    if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
        float(cell)  # only a number may
    if "\r" not in text:  # csv.reader takes a bare CR in a quoted field for a line end in text mode
        out = io.StringIO()
        csv.writer(out).writerow([cell, "end"])
        assert next(csv.reader(io.StringIO(out.getvalue(), newline=""))) == [cell, "end"]
