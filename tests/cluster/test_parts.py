"""What needs no Spark: who follows what, which files are meant, pieces of files, shipping, commits."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from comparing import mailscope, report

from mailscope.cluster import committing, places
from mailscope.cluster.bins import HOUR, planned
from mailscope.cluster.committing import ConflictError, Taken
from mailscope.cluster.pieces import Known, Plan, look, renamed
from mailscope.cluster.reading import lines
from mailscope.cluster.rows import STATE, results
from mailscope.cluster.shipping import ship
from mailscope.cluster.tracking import tracker
from mailscope.intake.files import expand
from mailscope.store import state
from mailscope.store.following import StoreTracker
from mailscope.vocabulary.errors import InputError, MailscopeError

UTC_ZONE = ZoneInfo("UTC")


def volumes(*rows: tuple[str, int, int]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=["place", "since", "bytes"], orient="row")
    return frame.with_columns(pl.col("since") * HOUR).sort("place", "since")


def test_small_hosts_share_a_bin_and_a_large_one_is_cut_in_time() -> None:
    found = planned(
        volumes(*(("big", hour, 30) for hour in range(10)), ("a", 1, 40), ("b", 2, 40), ("c", 3, 40)),
        100,
        100,
    )
    assert found.parted == ["big"]
    assert len(found.cuts["big"]) == 3
    assert found.cuts["big"] == sorted(found.cuts["big"])
    assert found.first["a"] == found.first["b"] != found.first["c"]
    assert found.count == 6
    assert found.last("big") == found.first["big"] + 3
    assert {found.first[name] for name in "abc"}.isdisjoint(range(found.first["big"], found.last("big") + 1))


def test_what_one_span_holds_is_not_cut() -> None:
    found = planned(volumes(("one", 1, 1_000)), 100, 100)
    assert (found.cuts, found.first, found.count) == ({}, {"one": 0}, 1)


def test_a_host_that_is_not_much_larger_than_a_bin_is_not_cut() -> None:
    rows = volumes(*((name, hour, size) for name, size in (("a", 15), ("b", 25)) for hour in range(10)))
    assert planned(rows, 100, 200).parted == ["b"]


def test_bins_are_within_their_bound_as_far_as_spans_allow() -> None:
    rows = [
        (f"h{number}", hour, (number * 37 + hour * 11) % 50 + 1) for number in range(30) for hour in range(6)
    ]
    found = planned(volumes(*rows), 90, 90)
    filled = dict.fromkeys(range(found.count), 0)
    for place, hour, size in rows:
        cuts = found.cuts.get(place, [])
        filled[found.first[place] + sum(cut <= hour * HOUR for cut in cuts)] += size
    assert all(0 < size <= 90 + 50 for size in filled.values())


def test_a_plain_file_in_parts_gives_the_same_lines(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text(
        "".join(
            f"Mar  2 {at // 3600:02}:{at // 60 % 60:02}:{at % 60:02} mx a[1]: {at}\n" for at in range(5000)
        )
    )
    files = expand([str(log)]).sources
    looks = {source.name: look(source) for source in files}
    whole = _read(Plan(files, looks, {}, UTC_ZONE))
    parts = Plan(files, looks, {}, UTC_ZONE, part_bytes=10_007)
    assert len(parts.pieces()) > 10
    cut = _read(parts)
    columns = ["place", "source", "time", "quality", "key", "raw"]
    assert cut.select(columns).equals(whole.select(columns))
    # Numbers are those within the part; the job adds the lines before it.
    assert cut["number"].max() < whole["number"].max()


def _read(plan: Plan) -> pl.DataFrame:
    rows = pl.concat(rows for piece in plan.pieces() for rows in lines(piece, lambda data: data))
    return rows.filter(pl.col("place").is_not_null())


def test_only_what_is_new_of_a_file_is_read(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    first = "".join(f"2026-03-02T00:00:{at:02}Z mx a[1]: {at}\n" for at in range(50)).encode()
    log.write_bytes(first)
    before = look(expand([str(log)]).sources[0])
    known = Known(str(log), before.head(len(first)), len(first), 50, len(first))
    log.rename(tmp_path / "mail.log.1")
    (tmp_path / "mail.log.1.gz").write_bytes(gzip.compress(first + b"2026-03-02T00:01:00Z mx a[1]: new\n"))
    (tmp_path / "mail.log.1").unlink()
    files = expand([str(tmp_path / "mail.log.1.gz")]).sources
    looks = {source.name: look(source) for source in files}
    found = renamed(looks, [known])
    rows = _read(Plan(files, looks, found, UTC_ZONE))
    assert rows["raw"].to_list() == ["2026-03-02T00:01:00Z mx a[1]: new"]
    assert rows["number"].to_list() == [51]


def test_patterns_that_no_shell_has_resolved(tmp_path: Path) -> None:
    for name in ("mx1/mail.log", "mx1/mail.log.1", "mx2/mail.log", "mx2/other.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("Mar  2 00:00:00 mx a: b\n")
    files, _, problems = places.found((f"{tmp_path}/*/mail.log*",))
    assert [Path(file.path).relative_to(tmp_path).as_posix() for file in files] == [
        "mx1/mail.log.1",
        "mx1/mail.log",
        "mx2/mail.log",
    ]
    assert not problems
    assert places.found((f"{tmp_path}/none/*",))[2][0].where.endswith("none/*")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server that speaks S3, on loopback."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(
        ip_address="127.0.0.1", port=0, verbose=False
    )
    server.start()
    host, port = server.get_host_and_port()
    for name, value in (
        ("AWS_ENDPOINT_URL", f"http://{host}:{port}"), ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "b"), ("AWS_REGION", "us-east-1"), ("AWS_EC2_METADATA_DISABLED", "true"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    from pyarrow.fs import S3FileSystem

    system = S3FileSystem(
        endpoint_override=f"http://{host}:{port}", region="us-east-1", allow_bucket_creation=True
    )
    system.create_dir("logs")
    for name in ("mx1/mail.log-20260301.gz", "mx1/mail.log-20260302.gz", "mx2/mail.log-20260302.gz", "mx2/x"):
        with system.open_output_stream(f"logs/{name}") as file:
            file.write(gzip.compress(f"2026-03-02T00:00:00Z {name[:3]} a[1]: of {name}\n".encode()))
    yield "logs"
    server.stop()


def test_logs_in_an_object_store(bucket: str) -> None:
    files, _, problems = places.found((f"s3a://{bucket}/*/mail.log-*.gz",))
    assert not problems
    assert [file.name for file in files] == [
        f"s3a://{bucket}/mx1/mail.log-20260301.gz",
        f"s3a://{bucket}/mx1/mail.log-20260302.gz",
        f"s3a://{bucket}/mx2/mail.log-20260302.gz",
    ]
    looks = {source.name: look(source) for source in files}
    assert {each.compression for each in looks.values()} == {"gz"}
    rows = _read(Plan(files, looks, {}, UTC_ZONE))
    assert rows["place"].to_list() == ["mx1", "mx1", "mx2"]
    assert len(places.found((f"s3a://{bucket}/mx1",))[0]) == 2


def test_an_object_store_that_has_nothing(bucket: str) -> None:
    for url in (f"s3a://{bucket}/none/*", "s3a://nowhere/x", "gopher://a/b"):
        problem = places.found((url,))[2][0]
        assert isinstance(problem, InputError)
        assert problem.where == url


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    log = tmp_path / "mail.log.gz"
    log.write_bytes(gzip.compress(b"2026-03-02T00:00:00Z mx a[1]: b\n" * 1000)[:-20])
    files = expand([str(log)]).sources
    plan = Plan(files, {source.name: look(source) for source in files}, {}, UTC_ZONE)
    told = [rows for piece in plan.pieces() for rows in lines(piece, lambda data: data)][-1]
    assert "end early" in told["note"][0]


def test_older_logs_are_followed_by_themselves() -> None:
    kept = StoreTracker(detail=True)
    kept.now = datetime(2026, 3, 2, 12)
    kept.next_trail = 77
    data = state.to_bytes(kept)
    follows, goes_on = tracker(data, datetime(2026, 3, 2, 11))
    assert goes_on
    assert follows.next_trail == 77
    assert not tracker(data, datetime(2026, 3, 2, 9))[1]
    assert tracker(None, None)[1]


def test_a_run_that_another_came_before_changes_nothing(tmp_path: Path) -> None:
    first, second = committing.begin(tmp_path / "s"), committing.begin(tmp_path / "s")
    assert first.run != second.run
    rows = results([{"kind": STATE, "place": "mx", "data": state.to_bytes(StoreTracker(detail=True))}])
    committing.commit(tmp_path / "s", Taken(first, rows, places=["mx"]), UTC_ZONE)
    with pytest.raises(ConflictError):
        committing.commit(tmp_path / "s", Taken(second, rows, places=["mx"]), UTC_ZONE)
    read = [Known("a", "h", 1, 1, 1)]
    third, fourth = committing.begin(tmp_path / "s"), committing.begin(tmp_path / "s")
    committing.commit(tmp_path / "s", Taken(third, results([]), read=read), UTC_ZONE)
    with pytest.raises(ConflictError):
        committing.commit(tmp_path / "s", Taken(fourth, results([]), read=read), UTC_ZONE)
    assert committing.begin(tmp_path / "s").known == read


def old_lines() -> str:
    begin = datetime.now(UTC) - timedelta(days=2)
    lines = []
    # What the last one does closes the others.
    for at in (*range(300), 3 * 3600):
        stamp = (begin + timedelta(seconds=at)).isoformat()
        queue_id = f"{at:010X}"
        lines += [
            f"{stamp} mx postfix/smtpd[1]: {queue_id}: client=a.example.org[192.0.2.1]",
            f"{stamp} mx postfix/qmgr[2]: {queue_id}: from=<A{at}@example.org>, size=9, nrcpt=1 (queue active)",
            f"{stamp} mx postfix/local[3]: {queue_id}: to=<b@example.org>, relay=local, delay=1, delays=0/0/0/1, "
            "dsn=2.0.0, status=sent (delivered to mailbox)",
            f"{stamp} mx postfix/qmgr[2]: {queue_id}: removed",
        ]
    return "".join(f"{line}\n" for line in lines)


def test_sealed_days_come_to_the_clusters_store(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text(old_lines())
    home, there = tmp_path / "home", tmp_path / "there"
    assert mailscope("ingest", "--store", home, "--tz", "UTC", log).returncode == 0
    done = ship(home, there)
    assert done.new > 2
    assert (done.gone, done.known) == (0, 0)
    again = mailscope("cluster", "ship", "--store", home, "--output", there)
    assert again.returncode == 0, again.stderr
    assert f"0 files shipped, 0 gave way to others, {done.new} known before" in again.stderr
    assert report(there)["fates"]["totals"] == {"recipients": 300}
    assert report(home)["fates"]["totals"] == {"recipients": 301}
    found = mailscope("trace", "A7@example.org", "--store", there)
    assert found.returncode == 0
    assert "0000000007" in found.stdout
    assert mailscope("store", "verify", "--store", there).returncode == 0
    # A person who is erased at home is gone there with the next shipping.
    erased = mailscope("privacy", "erase", "A7@example.org", "--store", home, "--yes")
    assert erased.returncode == 0, erased.stderr
    assert ship(home, there).gone
    assert mailscope("trace", "A7@example.org", "--store", there).returncode == 1
    assert not [path for path in there.rglob("part-*.parquet") if b"A7@example.org" in path.read_bytes()]


def test_what_a_stream_needs() -> None:
    for words, why in (
        ((), "one of --kafka and --socket"),
        (("--kafka", "192.0.2.1:9092"), "no topic is named"),
        (("--socket", "nowhere"), "is no address"),
    ):
        refused = mailscope("cluster", "stream", "--output", "x", *words)
        assert refused.returncode == 2
        assert why in refused.stderr


def test_a_store_without_sealed_files_is_not_shipped(tmp_path: Path) -> None:
    with pytest.raises(MailscopeError, match="no sealed files"):
        ship(tmp_path, tmp_path / "there")
