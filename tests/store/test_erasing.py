"""Erasing a person leaves no byte of the address, and everything else as it was."""

from __future__ import annotations

import io
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from running import library
from storing import LAB, ORDER, ZONE, Feeder, arrivals, contents, lab_lines

from mailscope.cli.main import mailscope
from mailscope.privacy.person import Person
from mailscope.store import audit, copies, erasing, indexing, receipts, sealing
from mailscope.store.database import Database
from mailscope.store.holding import find
from mailscope.store.index import Sought
from mailscope.store.names import ADDRESSES, Numbers
from mailscope.store.writer import Writer
from mailscope.trails.recipients import WHO

NAME = "alice@lab.example"
PERSON = Person.of([NAME])
# The address in any case, and as URLs, xtext, RFC 2045 and JSON write it.
BYTES = re.compile(rb"(?i)alice(?:@|%40|\+40|=40|\\u0040)lab\.example")
OTHERS = b"malice@lab.example"
EXTRA = b"""\
Nov 22 18:00:01 mail postfix/smtpd[99]: NOQUEUE: reject: RCPT from c.example[192.0.2.7]: 550 5.1.1 <Alice@Lab.Example>: Recipient address rejected: x; from=<malice@lab.example> to=<ALICE@lab.example> proto=ESMTP helo=<c.example>
Nov 22 18:00:02 mail foo[98]: odd GET /u?a=alice%40lab.example ORCPT=rfc822;alice+40lab.example user=3Dalice=40lab.example
Nov 22 18:00:03 mail foo[98]: odd v-alice=lab.example@lists.example.net and malice@lab.example
Nov 22 18:00:04 mail postfix/pickup[97]: 4jXFRN360Mzzzzz: uid=1000 from=<alice>
Nov 22 18:00:05 mail postfix/cleanup[96]: 4jXFRN360Mzzzzz: message-id=<1@lab.example>
Nov 22 18:00:06 mail postfix/qmgr[95]: 4jXFRN360Mzzzzz: from=<alice@lab.example>, size=10, nrcpt=1 (queue active)
Nov 22 18:00:07 mail postfix/smtpd[94]: 4jXFRN360Myyyyy: client=c.example[192.0.2.7], sasl_method=PLAIN, sasl_username=alice
"""


def made(place: Path) -> Path:
    """A store with sealed days, rows that are not sealed, tallies, and messages under way."""
    feeder = Feeder(place)
    feeder.feed(*arrivals(lab_lines(), ()))
    feeder.writer.checkpoint()
    while (part := sealing.next_slice(feeder.database, datetime(2026, 11, 22, 6))) is not None:
        sealing.seal(feeder.database, part)
    later = (LAB.parent / "mail.log").read_bytes().splitlines(keepends=True)
    feeder.feed(*arrivals(later[:1500], (), "later"))
    feeder.writer.checkpoint()
    feeder.feed(
        *arrivals([*later[1500:2000], *EXTRA.splitlines(keepends=True)], (), "later/alice@lab.example.log")
    )
    feeder.close()
    audit.enter(place, "root", "trace", "ALICE@lab.example")
    audit.enter(place, "root", "trace", "bob@lab.example")
    return place


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("erased") / "store")


@pytest.fixture
def store(origin: Path, tmp_path: Path) -> Path:
    subprocess.run(["cp", "-r", str(origin), str(tmp_path / "store")], check=True)
    return tmp_path / "store"


def held(store: Path) -> list[str]:
    """The files of a store that hold bytes of the address."""
    return [
        path.name
        for path in sorted(store.rglob("*"))
        if path.is_file() and BYTES.search(path.read_bytes().replace(OTHERS, b""))
    ]


def cells(store: Path) -> Iterator[str]:
    """Every text of every Parquet file, and of its statistics."""
    for path in store.rglob("*.parquet"):
        file = pq.ParquetFile(path)
        for column in file.read().itercolumns():
            if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                yield from (text for text in column.to_pylist() if text is not None)
        for group in range(file.num_row_groups):
            for number in range(file.metadata.num_columns):
                statistics = file.metadata.row_group(group).column(number).statistics
                if statistics is not None and statistics.has_min_max:
                    yield f"{statistics.min} {statistics.max}"


def buffers(data: bytes) -> Iterator[bytes]:
    """Every byte of a packed blob, also those that no row shows."""
    table = pa.ipc.open_file(io.BytesIO(data)).read_all()
    for column in table.itercolumns():
        for chunk in column.chunks:
            for buffer in chunk.buffers():
                if buffer is not None:
                    yield buffer.to_pybytes()
        if column.type == pa.large_binary() or column.type == pa.binary():
            for inner in column.to_pylist():
                if inner is not None:
                    yield from buffers(inner)


def blobs(database: Database) -> Iterator[bytes]:
    for table in ("hours", "state"):
        for (data,) in database.connection.execute(f"select data from own.{table}").fetchall():
            yield from buffers(bytes(data))


def report(store: Path) -> dict[str, Any]:
    words = ("report", "--tz", "UTC", "--format", "json", "--store", str(store))
    done = CliRunner().invoke(mailscope, words, catch_exceptions=False)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def numbers(value: Any) -> Any:
    """A report without its words: how many rows, and their figures."""
    if isinstance(value, dict):
        return {name: numbers(each) for name, each in value.items() if not isinstance(each, str)}
    if isinstance(value, list):
        return sorted(json.dumps(numbers(each)) for each in value if not isinstance(each, str))
    return value


def assert_erased(store: Path) -> None:
    assert held(store) == []
    assert not [text for text in cells(store) if BYTES.search(text.replace(OTHERS.decode(), "").encode())]
    database = Database(store)
    assert not [part for part in blobs(database) if BYTES.search(part.replace(OTHERS, b""))]
    assert not find(database, PERSON).counts
    # Whoever knows the store's secret cannot tell from an index that the person was in it.
    files = database.connection.execute("select path, checksum from own.manifest where name = 'events'")
    numbers = Numbers(database.secret())
    for path, checksum in files.fetchall():
        index = indexing.opened(database.directory / path, checksum, database.secret())
        assert index is not None
        sought = Sought(number for column in ADDRESSES for number in numbers.of(column, PERSON.names))
        assert not index.among(sought)


def test_the_store_holds_the_address_at_first(origin: Path) -> None:
    found = held(origin)
    assert "mailscope.duckdb" in found
    assert audit.FILE in found
    assert [text for text in cells(origin) if BYTES.search(text.encode())]
    database = Database(origin)
    assert len(find(database, PERSON).counts) == 3
    assert [part for part in blobs(database) if BYTES.search(part)]
    database.close()


def test_nothing_is_left_and_others_stay(store: Path) -> None:
    database = Database(store)
    before, secret = contents(database), database.secret()
    database.close()
    figures = report(store)
    receipt = erasing.erase(store, PERSON, "root (dpo)")
    assert_erased(store)

    database = Database(store)
    after = contents(database)
    database.close()
    assert after["events"]["raw"].str.contains("malice@lab.example", literal=True).sum() == 2
    for table in ORDER:
        assert len(before[table]) == len(after[table])
        # Rows of others, in all columns; the person's, in all that are no texts.
        texts = [pl.col(name) for name, dtype in before[table].schema.items() if dtype == pl.String]
        mine = pl.any_horizontal(text.str.to_lowercase().str.contains("alice") for text in texts)
        others = before[table].filter(~mine.fill_null(False))
        assert (
            0 < len(others.join(after[table], on=others.columns, how="semi", nulls_equal=True)) == len(others)
        )
        # Of the person's rows, only texts are others.
        figures_of = pl.exclude(pl.String)
        one, other = (rows[table].select(figures_of) for rows in (before, after))
        assert one.sort(one.columns, nulls_last=True).equals(other.sort(one.columns, nulls_last=True))
    # Where a field holds the login name in a message of theirs, it went too; elsewhere nobody knows whose it is.
    raw = after["events"]["raw"].to_list()
    assert not [line for line in raw if "from=<alice>" in line]
    assert [line for line in raw if line.endswith("sasl_username=alice")]

    told = report(store)
    assert numbers(told | {"users": 0}) == numbers(figures | {"users": 0})
    # A login that was used for the person's messages and for others' is two in these.
    assert sum(row["messages"] for row in told["users"]["rows"]) == sum(
        row["messages"] for row in figures["users"]["rows"]
    )
    assert receipt["changed"]["events"] > 100
    assert receipt["changed"]["audit"] == 1
    assert receipt["other_files"] == []
    assert receipts.genuine(secret, receipt)
    assert receipts.about(secret, receipt, ["Alice@lab.example"])
    assert not receipts.about(secret, receipt, ["bob@lab.example"])
    assert not receipts.genuine(secret, {**receipt, "who": "root"})
    assert not receipts.genuine(b"other", receipt)
    (kept,) = (store / "receipts").iterdir()
    assert json.loads(kept.read_text()) == receipt


def test_what_was_under_way_goes_on(origin: Path, store: Path) -> None:
    erasing.erase(store, PERSON, "root")
    open_now = []
    for place in (origin, store):
        database = Database(place)
        writer = Writer(database, library(), ZONE)
        recipients = writer.tracker.recipients.open
        # Found again by what stands for the address now.
        assert recipients.select(WHO).to_series().equals(recipients["who"])
        open_now.append(
            (len(writer.tracker.open), len(recipients), writer.tracker.recipients.open["attempts"].sum())
        )
        if place == store:
            writer.checkpoint()
        database.close()
    assert open_now[0] == open_now[1]
    assert_erased(store)


def test_address_and_login_name_together(store: Path) -> None:
    figures = report(store)
    erasing.erase(store, Person.of([NAME, "alice"]), "root")
    assert_erased(store)
    assert numbers(report(store)) == numbers(figures)


def test_a_login_name(store: Path) -> None:
    erasing.erase(store, Person.of(["alice"]), "root")
    database = Database(store, read_only=True)
    assert database.value("select count(*) from events where sasl_user = 'alice' or \"user\" = 'alice'") == 0
    raw = database.frame("select raw from events")["raw"].to_list()
    assert not [line for line in raw if "sasl_username=alice" in line or "user=<alice>" in line]
    # The address is another name, which was not asked for.
    assert [line for line in raw if "from=<alice@lab.example>" in line]
    database.close()


def test_receipts_and_the_audit_log_are_part_of_a_backup(store: Path, tmp_path: Path) -> None:
    receipt = erasing.erase(store, PERSON, "root")
    copies.backup(store, tmp_path / "copy")
    assert_erased(tmp_path / "copy")
    (kept,) = (tmp_path / "copy" / receipts.DIRECTORY).iterdir()
    assert json.loads(kept.read_text()) == receipt
    assert audit.entries(tmp_path / "copy") == audit.entries(store)
    assert (tmp_path / "copy" / audit.FILE).stat().st_mode & 0o777 == audit.MODE


def test_what_was_spilled_or_unfinished_goes(store: Path) -> None:
    (store / "spill").mkdir()
    (store / "spill" / "duckdb_temp_storage_DEFAULT-0.tmp").write_text(NAME)
    (store / "mailscope.duckdb.renewed").write_text(NAME)
    erasing.erase(store, PERSON, "root")
    assert_erased(store)
    assert not list(store.glob("*.renewed*"))


def test_a_person_who_is_not_there(store: Path) -> None:
    receipt = erasing.erase(store, Person.of(["nobody@nowhere.example"]), "root")
    assert receipt["changed"] == {}
    assert held(store) != []


BREAK = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from mailscope.privacy.person import Person
from mailscope.store import audit, erasing, places, renewing, sealing
def dying(module, name, after):
    real = getattr(module, name)
    def instead(*words, **more):
        if after:
            real(*words, **more)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(module, name, instead)
dying({module}, {name!r}, {after})
erasing.erase(Path({store!r}), Person.of(["alice@lab.example"]), "root")
"""


@pytest.mark.parametrize(
    ("module", "name", "after"),
    [
        ("erasing", "write_segment", True),
        ("erasing", "enter", True),
        ("erasing", "_replace", True),
        ("audit", "put_in_place", True),
        ("renewing", "_copy", True),
        ("renewing", "replace", True),
        ("erasing", "_keep", True),
    ],
)
def test_killed_at_any_moment_it_is_whole_and_finishes(
    store: Path, module: str, name: str, *, after: bool
) -> None:
    database = Database(store)
    counts = [database.value(f"select count(*) from {table}") for table in ORDER]
    database.close()
    code = BREAK.format(
        tests=str(Path(__file__).parents[1]), module=module, name=name, after=after, store=str(store)
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    database = Database(store)
    assert [database.value(f"select count(*) from {table}") for table in ORDER] == counts
    database.close()
    receipt = erasing.erase(store, PERSON, "root")
    assert receipt["changed"]["events"] > 100
    assert_erased(store)
