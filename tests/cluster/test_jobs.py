"""Jobs in one session on this machine: hosts cut in time, one run after the other, two at once, streams."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hosts
import polars as pl
import pytest
from comparing import assert_same_rows, one_machine, report, rows

from mailscope.cluster.compacting import compact
from mailscope.cluster.job import Job, ingest
from mailscope.cluster.session import session
from mailscope.cluster.setup import Setup
from mailscope.cluster.streaming import SOCKET, Stream, start
from standalone import usable

pytestmark = pytest.mark.skipif(bool(usable()), reason=usable() or "it can be started")


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    before = os.environ.get("PYSPARK_PYTHON")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    with session("local[2]", settings={"spark.ui.enabled": "false"}) as found:
        yield found
    if before is None:
        del os.environ["PYSPARK_PYTHON"]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hosts.write(tmp_path_factory.mktemp("hosts"), hosts=3, lines=300, relayed=8)


def job(spark: Any, output: Path, *inputs: Path, **sizes: int) -> Job:
    return Job(spark, Setup(str(output), 0, "UTC"), tuple(map(str, inputs)), **sizes)


def test_a_host_that_is_cut_in_time_is_followed_as_a_whole(spark: Any, logs: Path, tmp_path: Path) -> None:
    """Every host is too large for one task here, and every plain file is read in parts."""
    loaded = ingest(job(spark, tmp_path / "cluster", logs, bin_bytes=15_000, part_bytes=9_001))
    assert loaded.places == 3
    one = one_machine(tmp_path / "one", logs, secret_of=tmp_path / "cluster")
    assert_same_rows(one, tmp_path / "cluster")
    assert report(tmp_path / "cluster") == report(one)


def test_a_task_computes_with_the_one_core_that_it_has(spark: Any) -> None:
    def threads(_: int) -> int:
        import polars

        return polars.thread_pool_size()

    assert spark.sparkContext.parallelize([0, 1], 2).map(threads).collect() == [1, 1]


def test_what_comes_later_goes_on_where_it_stood(spark: Any, logs: Path, tmp_path: Path) -> None:
    """Half of the files, then all, renamed as rotation does; then small files become large ones."""
    place = shutil.copytree(logs, tmp_path / "logs")
    output = tmp_path / "cluster"
    first = ingest(job(spark, output, *sorted(place.glob("*/mail.log.1*")), bin_bytes=30_000))
    assert first.lines
    for path in place.glob("*/mail.log.1*"):
        path.rename(path.with_name(path.name.replace("log.1", "log.2")))
    second = ingest(job(spark, output, place, bin_bytes=30_000))
    assert second.known == first.files
    assert second.lines
    one = one_machine(tmp_path / "one", logs, secret_of=output)
    theirs, ours = rows(output, "events"), rows(one, "events")
    told = [name for name in ours.columns if name not in ("source", "time_quality")]
    assert (
        theirs.select(told).sort(told, nulls_last=True).equals(ours.select(told).sort(told, nulls_last=True))
    )
    for table in ("deliveries", "links", "sessions"):
        assert rows(output, table).equals(rows(one, table)), table
    before = report(output)
    files = len(list(output.glob("*/day=*/part-*.parquet")))
    assert compact(spark, Setup(str(output), 0, "UTC")).after
    assert len(list(output.glob("*/day=*/part-*.parquet"))) < files
    assert report(output) == before
    assert rows(output, "events").equals(theirs)


def test_two_jobs_at_once_store_each_line_once(spark: Any, logs: Path, tmp_path: Path) -> None:
    output = tmp_path / "cluster"
    failures: list[BaseException] = []

    def run() -> None:
        try:
            ingest(job(spark, output, logs))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600)
    assert not failures
    one = one_machine(tmp_path / "one", logs, secret_of=output)
    assert_same_rows(one, output)


def test_lines_that_come_over_a_socket(spark: Any, tmp_path: Path) -> None:
    lines = [
        "2026-03-02T00:00:00Z mx postfix/smtpd[1]: 0000000001: client=a.example.org[192.0.2.1]",
        "2026-03-02T00:00:01Z mx postfix/qmgr[2]: 0000000001: from=<a@example.org>, size=9, nrcpt=1 (queue active)",
        "2026-03-02T00:00:02Z mx postfix/qmgr[2]: 0000000001: removed",
    ]
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            for line in lines:
                connection.sendall(f"{line}\n".encode())
            over.wait(120)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    told: list[int] = []
    options = {"host": "127.0.0.1", "port": str(listener.getsockname()[1])}
    query = start(
        job(spark, tmp_path / "store"),
        Stream("here", SOCKET, options),
        str(tmp_path / "kept"),
        1.0,
        lambda loaded: told.append(loaded.lines),
    )
    try:
        for _ in range(300):
            if sum(told) == len(lines):
                break
            query.awaitTermination(0.5)
        assert sum(told) == len(lines)
    finally:
        query.stop()
        over.set()
        listener.close()
    stored = rows(tmp_path / "store", "events").sort("line_number")
    assert stored["raw"].to_list() == lines
    assert stored["source"].unique().to_list() == ["socket:here"]
    assert rows(tmp_path / "store", "messages")["ended"].to_list() == ["removed"]


def test_lines_of_files_without_hosts_belong_to_their_log(spark: Any, tmp_path: Path) -> None:
    for second, name in enumerate(("a", "b")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "current").write_text(
            f"@4000000069a4c28{second}1dcd6500 new msg 7\n"
            f"@4000000069a4c28{second}1dcd6500 info msg 7: bytes 9 from <{name}@example.org> qp 1 uid 2\n"
            "@4000000069a4c2891dcd6500 end msg 7\n"
        )
    ingest(job(spark, tmp_path / "store", tmp_path / "a", tmp_path / "b"))
    messages = rows(tmp_path / "store", "messages")
    assert sorted(messages["sender"]) == ["a@example.org", "b@example.org"]
    assert messages["trail_id"].n_unique() == 2
    assert messages["host"].null_count() == 2
    assert isinstance(messages, pl.DataFrame)
