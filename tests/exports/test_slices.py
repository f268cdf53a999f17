"""Pieces are bounded and together the whole."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from mailscope.exports.slices import slices


@settings(deadline=None)
@given(st.lists(st.text(max_size=9), max_size=40), st.integers(1, 8), st.integers(1, 30))
def test_pieces_are_bounded_and_together_the_whole(texts: list[str], rows: int, size: int) -> None:
    pieces = list(slices(pl.DataFrame({"line": pl.Series(texts, dtype=pl.String)}), rows, size))
    assert [text for piece in pieces for text in piece["line"]] == texts
    for piece in pieces:
        assert 0 < len(piece) <= rows
        assert len(piece) == 1 or sum(len(text.encode()) for text in piece["line"]) <= size
