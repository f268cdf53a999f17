"""Rows are sealed in the order of their instants, within the memory that the store may take."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from mailscope.store import sealing
from mailscope.store.database import Database
from mailscope.store.in_order import PIECE_ROWS, in_order
from mailscope.vocabulary.tables import EVENTS, LINKS

LATER = datetime(2027, 1, 1)
# Columns of text, each with another text in each row.
WIDE = [column.name for column in EVENTS.columns if column.kind == "str"][:30]


def test_a_day_whose_lines_came_in_any_order_is_sealed_in_order(tmp_path: Path) -> None:
    # As where many hosts' logs of a day were loaded one after the other: sorting these rows whole takes more
    # memory than the store has.
    database = Database(tmp_path / "store")
    columns = ", ".join(f"md5(text || '{name}') || md5(text || '+{name}') as {name}" for name in WIDE)
    database.connection.execute(
        f"insert into hot.events by name select number as batch, {columns}, "
        "timestamp '2026-03-02' + to_milliseconds((hash(number) % 86400000)::bigint) as time "
        f"from (select number, md5(number::varchar) as text from range({sealing.SLICE_ROWS}) t(number))"
    )
    held = f"select sum(hash(time, batch, {', '.join(WIDE[:4])})) from events"
    before = database.connection.execute(held).fetchall()
    files = []
    while (part := sealing.next_slice(database, LATER)) is not None:
        files.append(sealing.seal(database, part))
    assert len(files) == 1
    assert database.connection.execute(held).fetchall() == before
    late = "select count(*) from (select time < lag(time) over (order by file_row_number) as late from {})"
    place = f"read_parquet({database.file(files[0])}, file_row_number = true)"
    assert database.value(f"{late.format(place)} where late") == 0
    database.close()


@pytest.mark.parametrize("count", [0, 1, PIECE_ROWS - 1, PIECE_ROWS, PIECE_ROWS + 1, 3 * PIECE_ROWS])
@pytest.mark.parametrize("instants", [1, 7, 1_000_000])
def test_no_row_is_lost_or_told_twice_where_pieces_meet(count: int, instants: int) -> None:
    connection = duckdb.connect()
    rows = (
        "select number as batch, timestamp '2026-03-02' + to_microseconds((hash(number) % "
        f"{instants})::bigint) as time from range({count}) t(number)"
    )
    with in_order(connection, f"({rows})", LINKS) as name:
        found = connection.execute(f"select time, batch from {name}").fetchall()
    assert [time for time, _ in found] == sorted(time for time, _ in found)
    assert sorted(number for _, number in found) == list(range(count))
