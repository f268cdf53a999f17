"""How many files are open at once, and how much is read of each."""

from __future__ import annotations

from datetime import datetime, timedelta

from mailscope.intake.overlap import AT_ONCE_BYTES, LEAST_BYTES, chunk_bytes, open_at_once

DAY = datetime(2026, 3, 2)


def test_files_of_a_rotated_set_follow_each_other() -> None:
    assert open_at_once(("mail.log", DAY + timedelta(days=number)) for number in range(28)) == 1


def test_logs_of_many_hosts_are_open_at_once() -> None:
    hosts = [(f"mx{host}", DAY + timedelta(days=day)) for host in range(24) for day in range(7)]
    assert open_at_once(hosts) == 24


def test_a_file_without_an_instant_may_be_open_from_the_beginning() -> None:
    assert open_at_once([("a", None), ("b", DAY), ("c", DAY + timedelta(days=1))]) == 3
    assert open_at_once([]) == 0


def test_chunks_are_smaller_where_many_files_are_open() -> None:
    assert chunk_bytes(6 << 20, 1) == chunk_bytes(6 << 20, 0) == 6 << 20
    assert 24 * chunk_bytes(6 << 20, 24) <= AT_ONCE_BYTES
    assert chunk_bytes(6 << 20, 10_000) == LEAST_BYTES
    assert chunk_bytes(1, 1) == 1
