"""Columns made safe say the same as single texts made safe, and JSON loses nothing."""

from __future__ import annotations

import json
from typing import Final

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from mailscope.cli import terminal
from mailscope.exports.escapes import csv_safe, json_safe

ODD: Final = (
    "\x00\x07\t\n\r\x1b\x7f\x85\x9b\xad\u061c\u200b\u2028\u202e\ufeff\U000e0041=+-@\uff1d'\"\\1.5e é😀"
)
TEXTS: Final = st.lists(
    st.text(st.one_of(st.sampled_from(ODD), st.characters(exclude_categories=["Cs"])), max_size=12),
    min_size=1,
)


@settings(deadline=None)
@given(TEXTS)
def test_cells_are_as_the_terminals_own_function_makes_them(texts: list[str]) -> None:
    wanted = []
    for text in texts:
        formula = terminal.csv_safe(text) != text
        wanted.append(("'" if formula else "") + terminal.safe(text))
    assert csv_safe(pl.Series(texts)).to_list() == wanted


def test_every_character_is_treated_alike() -> None:
    chars = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    cells = csv_safe(pl.Series(chars)).to_list()
    assert [
        c for c, cell in zip(chars, cells, strict=True) if cell.lstrip("'") != terminal.safe(c).lstrip("'")
    ] == []


@settings(deadline=None)
@given(TEXTS)
def test_json_stays_what_it_was_and_drives_no_terminal(texts: list[str]) -> None:
    lines = pl.Series([json.dumps(text, ensure_ascii=False) for text in texts])
    for text, line in zip(texts, json_safe(lines), strict=True):
        assert json.loads(line) == text
        assert terminal.safe(line) == line


def test_nulls_stay_null() -> None:
    assert csv_safe(pl.Series(["=1+1", None, "-5"])).to_list() == ["'=1+1", None, "-5"]
