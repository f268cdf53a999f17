"""A search with the indexes of sealed files gives the lines that it gives without them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import examples
from storing import Feeder, arrivals

from mailscope.store import indexing, names, sealed, sealing, upkeep
from mailscope.store.asking import Asked
from mailscope.store.database import Database
from mailscope.store.index import HEADER, DamagedIndexError, Index, Sought, packed, place_of
from mailscope.store.search import Search
from mailscope.trails.search.query import read_query
from mailscope.vocabulary.tables import EVENTS

ROOT = Path(__file__).parents[2]
LOGS = (
    ROOT / "examples" / "postfix" / "mail.log.1",
    ROOT / "examples" / "qmail" / "maillog",
    *sorted((ROOT / "examples" / "fivehosts").glob("*/*.log")),
)
# Shared lists of recipients, as Sendmail logs them.
SENDMAIL = """\
Nov 20 10:00:00 mx sendmail[77]: 6AKA0000000{n}: to=<ann{n}@example.org>,<Bob.B@Example.net>,"q x"@example.org, delay=00:00:01, stat=Sent
"""
LATER = datetime(2027, 3, 1)
SECRET = bytes(32)
# Of what names in lines are made, and what stands around them.
PIECES = (
    "a", "b-", "-c", "_", "ü", ".", "..", "@", "example.org", "x.example.org", "192.0.2.1", "1.192.0.2.1", ":",
    "::1", "2001:db8::1", "2001:0db8:0000:0000:0000:0000:0000:0001", "f", "9", " ", "[", "]", "<", ">", ",", "=",
    "10:11:12", "::ffff:192.0.2.1", "K", "İ", "1.5",
)  # fmt: skip


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A store of many small files: one has no index, one a damaged one; some rows are not sealed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealing, "SLICE_ROWS", 400)
        feeder = Feeder(tmp_path_factory.mktemp("indexed") / "store")
        logs = [(path.as_posix(), path.read_bytes().splitlines(keepends=True)[:3000]) for path in LOGS]
        logs.append(("sendmail", [SENDMAIL.format(n=n).encode() for n in range(9)]))
        for name, lines in logs:
            feeder.feed(*arrivals(lines, (), name))
        feeder.writer.checkpoint()
        seal_some(feeder.database, 8)
    files = sorted(feeder.database.directory.rglob("*.names"))
    assert len(files) == 8
    files[3].unlink()
    # Its head, which every look reads; a bucket may never be asked for.
    damage(files[5], HEADER.size - 1)
    yield feeder.database
    feeder.close()


def seal_some(database: Database, most: int) -> None:
    for _ in range(most):
        part = sealing.next_slice(database, LATER)
        if part is None or part.table is not EVENTS:
            return
        sealing.seal(database, part)


def damage(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def found(database: Database, asked: Asked, *, indexed: bool) -> list[tuple[object, ...]]:
    with database.snapshot() as looking:
        rows = pl.concat(Search(looking, asked, indexed=indexed).lines())
    return sorted(rows.select("time", "source", "raw").rows(), key=str)


def questions(database: Database) -> list[tuple[str, str]]:
    """What could be sought: of each kind some that are there, as logged or otherwise, and some that are not."""
    chosen = random.Random(7)
    asked = [
        ("queue-id", "4Nothing"),
        ("address", "no@example.org"),
        ("delivery", "d1"),
        ("ip", "203.0.113.99"),
    ]
    columns = {
        "queue-id": names.NAMING, "message-id": ("message_id",), "address": names.ADDRESSES,
        "ip": ("client_ip", "relay_ip"), "domain": ("client_host", "relay_host", "helo"), "user": ("user",),
    }  # fmt: skip
    for kind, those in columns.items():
        for column in those:
            values = database.frame(
                f"select distinct {column} from events where {column} <> '' order by {column}"
            )[column]
            for value in chosen.sample(values.to_list(), min(2, len(values))):
                asked.append((kind, value.upper() if kind == "address" else value))
                if kind == "domain" and "." in value:
                    asked += [(kind, value.partition(".")[2]), (kind, "@" + value), (kind, value[1:])]
    others = [
        ("address", "ann3@example.org"),
        ("address", "bob.b@example.net"),
        ("address", "n3@example.org"),
    ]
    return [*asked, *others, ("address", '"q x"@example.org'), ("domain", "@example.org"), ("user", "root")]


def test_the_same_lines_with_and_without_indexes(database: Database) -> None:
    assert database.value("select count(*) from hot.events") > 100
    hits = 0
    for kind, text in questions(database):
        try:
            asked = Asked(about=text, kinds=(kind,))
            with_them = found(database, asked, indexed=True)
        except ValueError:
            # Not an address after all, such as "unknown".
            assert kind == "ip"
            continue
        assert with_them == found(database, asked, indexed=False), (kind, text)
        hits += bool(with_them)
    assert hits > 20


def test_the_same_lines_whatever_is_held_meanwhile(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search holds lines that it asks for again, as many as there is room for."""
    for kind, text in questions(database)[::4]:
        if kind == "ip":
            continue
        asked = Asked(about=text, kinds=(kind,))
        with monkeypatch.context() as patch:
            with_room = found(database, asked, indexed=True)
            for room in (0, 700):
                patch.setattr(sealed, "HELD_LINES", room)
                assert found(database, asked, indexed=True) == with_room, (kind, text)


@pytest.mark.parametrize("kind", ["domain", "ip"])
def test_every_line_that_trace_would_match_is_found(database: Database, kind: str) -> None:
    lines = set(database.frame("select raw from events")["raw"])
    for asked, text in questions(database):
        if asked != kind:
            continue
        try:
            query = read_query(text, kind)
        except Exception:
            continue
        matching = {line for line in lines if query.matches(line.encode())}
        rows = found(database, Asked(about=text, kinds=(kind,), limit=10_000), indexed=True)
        assert matching <= {row[2] for row in rows}, text


def test_spans_and_hosts_narrow_alike(database: Database) -> None:
    middle = database.value("select median(time) from events")
    host = database.value("select mode(host) from events")
    for kind, text in questions(database)[::9]:
        if kind == "ip":
            continue
        asked = Asked(since=middle, hosts=(host,), about=text, kinds=(kind,), limit=3)
        assert found(database, asked, indexed=True) == found(database, asked, indexed=False)


def test_only_files_that_have_a_name_are_opened(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from mailscope.store.sealed import SealedLines

    opened: set[str] = set()
    whole = SealedLines._read

    def read(self: SealedLines, file: object, *others: object) -> pl.DataFrame:
        opened.add(file.path)  # type: ignore[attr-defined]
        return whole(self, file, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(SealedLines, "_read", read)
    assert found(database, Asked(about="4Nothing", kinds=("queue-id",)), indexed=True) == []
    # The one without an index, and the damaged one.
    assert len(opened) == 2


# They count with 32 bits and some more.
NUMBERS = st.integers(0, 2**32 - 1).map(lambda number: number << 32)
texts = st.lists(st.sampled_from(PIECES), min_size=1, max_size=12).map("".join)


def fits(condition: names.Condition, column: str, line: str) -> bool:
    with duckdb.connect() as connection:
        statement = f"select {condition.sql} from (select ?::varchar as {column})"
        return bool(connection.execute(statement, [*condition.values, line]).fetchall()[0][0])


def in_index(condition: names.Condition, line: str) -> bool:
    with duckdb.connect() as connection:
        lower = connection.execute("select lower(?)", [line]).fetchall()[0][0]
    there = names.in_rows(pl.DataFrame({"raw": [lower], "recipients": [lower]}))
    return condition.names is None or any(name in there.get(kind, []) for kind, name in condition.names)


@settings(deadline=None, max_examples=examples(60))
@given(texts, st.data())
def test_what_a_condition_finds_is_in_the_index(line: str, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(line) - 1))
    sought = data.draw(st.one_of(st.sampled_from(PIECES), st.just(line[begin : begin + 20]), texts))
    conditions = [(names.in_domain(sought), "raw")]
    with suppress(ValueError):
        conditions += [(each, "raw") for each in names.at_ip([str(ip_address(sought)), sought])]
    conditions += [(names.with_recipient(f"{sought}@example.org"), "recipients")]
    for condition, column in conditions:
        if fits(condition, column, line):
            assert in_index(condition, line), (condition, line)


@settings(deadline=None, max_examples=examples(60))
@given(
    texts, st.sampled_from(("example.org", "x.example.org", "b-.x.org", "192.0.2.1", "2001:db8::1", "::1"))
)
def test_conditions_are_those_of_trace(line: str, sought: str) -> None:
    if "K" in line or "İ" in line:
        return  # Bytes have a case in ASCII only.
    kind = "ip" if sought[0].isdigit() or ":" in sought else "domain"
    for condition in names.at_ip([sought]) if kind == "ip" else [names.in_domain(sought)]:
        exact = read_query(sought, kind).exact
        alone = [form for form in (sought,) if re.search(re.escape(form), line, re.IGNORECASE)]
        if alone:
            assert fits(condition, "raw", line) == any(
                match[0].lower() == sought.encode() for match in exact.finditer(line.encode())
            )


@settings(deadline=None, max_examples=examples(25))
@given(st.sets(NUMBERS, max_size=800), st.sets(NUMBERS, max_size=400))
def test_an_index_has_its_numbers(
    tmp_path_factory: pytest.TempPathFactory, there: set[int], other: set[int]
) -> None:
    path = tmp_path_factory.mktemp("one") / "part-000001.names"
    numbers = names.Numbers(SECRET)
    path.write_bytes(packed(pl.Series(list(there), dtype=pl.UInt64), numbers, "ab" * 32))
    index = Index(path)
    index.check()
    assert index.checksum == "ab" * 32
    assert all(index.among(Sought([number])) == [0] for number in there)
    for sought in (list(other), list(there), sorted(there | other), []):
        found = [sought[at] for at in index.among(Sought(sought))]
        assert found == [number for number in sought if number in there]


def test_a_changed_bucket_is_noticed_where_many_are_looked_up(tmp_path: Path) -> None:
    path = tmp_path / "part-000001.names"
    numbers = names.Numbers(SECRET)
    found = numbers.of("queue_id", map(str, range(5_000)))
    path.write_bytes(packed(pl.Series(found, dtype=pl.UInt64), numbers, "ab" * 32))
    index = Index(path)
    strangers = Sought(numbers.of("queue_id", map(str, range(10_000, 12_000))))
    assert not index.among(strangers)
    damage(path, path.stat().st_size - 1)
    index = Index(path)
    with pytest.raises(DamagedIndexError):
        index.among(strangers)


def test_whatever_byte_is_changed_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "part-000001.names"
    numbers = names.Numbers(SECRET)
    found = pl.Series(numbers.of("queue_id", map(str, range(700))), dtype=pl.UInt64)
    whole = packed(found, numbers, "ab" * 32)
    for at in range(0, len(whole), 13):
        path.write_bytes(whole)
        damage(path, at)
        with pytest.raises(DamagedIndexError):
            Index(path).check()
    for cut in (0, 7, 60, 200, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(DamagedIndexError):
            Index(path).check()


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr(sealing, "SLICE_ROWS", 400)
    feeder = Feeder(tmp_path / "store")
    feeder.feed(*arrivals(LOGS[0].read_bytes().splitlines(keepends=True), ()))
    feeder.writer.checkpoint()
    seal_some(feeder.database, 100)
    yield feeder.database
    feeder.close()


def indexes(database: Database) -> set[str]:
    return {path.relative_to(database.directory).as_posix() for path in database.directory.rglob("*.names")}


def sealed_files(database: Database) -> set[str]:
    rows = database.connection.execute("select path from own.manifest where name = 'events'").fetchall()
    return {place_of(Path(path)).as_posix() for (path,) in rows}


def test_each_sealed_file_has_an_index_through_compaction_and_retention(small: Database) -> None:
    assert len(sealed_files(small)) > 3
    assert indexes(small) == sealed_files(small)
    for (day,) in small.connection.execute("select distinct day from own.manifest").fetchall():
        upkeep.compact(small, EVENTS, day)
    assert indexes(small) == sealed_files(small)
    assert sealing.remove_strays(small) == []
    upkeep.expire(small, {"events": LATER})
    assert indexes(small) == set()


def test_a_store_without_indexes_gets_them(small: Database) -> None:
    before = {name: (small.directory / name).read_bytes() for name in indexes(small)}
    for name in before:
        (small.directory / name).unlink()
    assert upkeep.check(small, thorough=True) == []
    made = 0
    while indexing.make_next(small):
        made += 1
    assert made == len(before)
    assert {name: (small.directory / name).read_bytes() for name in indexes(small)} == before


def test_a_damaged_index_is_named_and_made_anew(small: Database) -> None:
    name = min(indexes(small))
    whole = (small.directory / name).read_bytes()
    damage(small.directory / name, len(whole) - 1)
    damages = upkeep.check(small, thorough=True)
    assert [(each.place, each.what) for each in damages] == [(name, "its contents were changed")]
    upkeep.set_aside(small, damages)
    assert (small.directory / name).read_bytes() == whole
    assert upkeep.check(small, thorough=True) == []


def test_an_index_that_was_changed_since_the_last_look_is_of_no_use(small: Database) -> None:
    path, checksum = small.connection.execute(
        "select path, checksum from own.manifest where name = 'events'"
    ).fetchall()[0]
    path, secret = small.directory / path, small.secret()
    assert indexing.opened(path, checksum, secret) is not None
    whole = place_of(path).read_bytes()
    damage(place_of(path), HEADER.size + 1)
    assert indexing.opened(path, checksum, secret) is None
    place_of(path).write_bytes(whole)
    assert indexing.opened(path, checksum, secret) is not None
    place_of(path).unlink()
    assert indexing.opened(path, checksum, secret) is None


def test_an_index_of_another_secret_or_file_is_of_no_use(small: Database) -> None:
    one, other = sorted(indexes(small))[:2]
    (small.directory / one).write_bytes((small.directory / other).read_bytes())
    assert [each.place for each in upkeep.check(small, thorough=True)] == [one]
    path, checksum = small.connection.execute(
        "select path, checksum from own.manifest where path = ?", [one.replace(".names", ".parquet")]
    ).fetchall()[0]
    secret = small.secret()
    assert indexing.opened(small.directory / path, checksum, secret) is None
    small.set_about("secret", "00" * 32)
    assert indexing.opened(small.directory / other.replace(".names", ".parquet"), checksum, SECRET) is None
    assert indexing.make_next(small) is not None
