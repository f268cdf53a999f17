"""What may be one of several things is found once, however many of them it is."""

from __future__ import annotations

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from mailscope.web.pages.rows import Where

VALUES = st.sampled_from(["a", "b", None])


@given(
    st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=12),
    st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("ab")), min_size=1, max_size=4),
)
def test_rows_are_those_of_or(rows: list[tuple[str, str, str]], asked: list[tuple[str, str]]) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table found (number integer, x varchar, y varchar, z varchar)")
        for number, row in enumerate(rows):
            # Each of them twice: the same row may well be there twice.
            connection.execute("insert into found values ($1, $2, $3, $4), ($1, $2, $3, $4)", [number, *row])
        where = Where(either=[(f"{column} = ?", [value]) for column, value in asked])
        sql, values = where.of("select * from found where number >= ?", [1])
        one_by_one = connection.execute(f"select * from ({sql}) order by all", values).fetchall()
        told = " or ".join(f"{column} = ?" for column, _ in asked)
        at_once = connection.execute(
            f"select * from found where number >= 1 and ({told}) order by all", [value for _, value in asked]
        ).fetchall()
    assert one_by_one == at_once
