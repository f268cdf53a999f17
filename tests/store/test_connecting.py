"""Connections to the DuckDB file: its groups of rows, and who shares it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from mailscope.store.connecting import GROUP_ROWS, another, connected


def test_rows_are_written_in_small_groups_also_by_those_who_come_later(tmp_path: Path) -> None:
    path = tmp_path / "a file's name.duckdb"
    for count in (3, 6):
        connection = connected(path)
        connection.execute("create table if not exists t(n integer)")
        connection.execute(f"insert into t select range from range({3 * GROUP_ROWS})")
        connection.execute("checkpoint")
        groups = connection.execute("select count(distinct row_group_id) from pragma_storage_info('t')")
        assert groups.fetchall() == [(count,)]
        connection.close()
    # It is a file as any other.
    with duckdb.connect(str(path), read_only=True) as plain:
        assert plain.execute("select count(*) from t").fetchall() == [(6 * GROUP_ROWS,)]


def test_connections_of_a_process_share_it(tmp_path: Path) -> None:
    first = connected(tmp_path / "x.duckdb")
    second = connected(tmp_path / "x.duckdb", read_only=True)
    first.execute("create table t as select 1 as n")
    beside = another(first)
    for each in (second, beside):
        assert each.execute("select n from t").fetchall() == [(1,)]
    assert beside.execute("select current_setting('TimeZone')").fetchall() == [("UTC",)]
    for each in (beside, second, first):
        each.close()


def test_what_is_only_read_here_is_not_written_here(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    connected(path).close()
    looking = connected(path, read_only=True)
    with pytest.raises(duckdb.Error):
        looking.execute("create table t(n integer)")
    with pytest.raises(duckdb.ConnectionException, match="only to be read"):
        connected(path)
    looking.close()
    connected(path).close()
