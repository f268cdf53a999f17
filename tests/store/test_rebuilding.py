"""A database damaged anywhere: it is named, the sealed rest answers, and a new one is as good as can be."""

from __future__ import annotations

import json
import os
import random
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from running import library
from storing import ZONE, Feeder, arrivals, assert_same, contents, lab_lines

from mailscope.cli.main import mailscope
from mailscope.privacy.cleaning import cleaner
from mailscope.store import manifest_log, sealing, upkeep
from mailscope.store.database import FILE, Database
from mailscope.store.places import NEW
from mailscope.store.rebuilding import kept_aside, rebuild
from mailscope.store.refusals import DamagedError
from mailscope.vocabulary.errors import InputError, MailscopeError
from mailscope.vocabulary.settings.settings import Settings
from mailscope.vocabulary.tables import TABLES

WAL = FILE + ".wal"


def run(*words: str) -> str:
    done = CliRunner().invoke(mailscope, words, catch_exceptions=True)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def report(*words: str) -> Any:
    told = json.loads(
        CliRunner().invoke(mailscope, ["report", "--tz", "UTC", "--format", "json", *words]).stdout
    )
    return {name: told[name] for name in ("messages", "attempts", "recipients") if name in told}


@dataclass(frozen=True)
class Stores:
    """A log; stores of it, half of each sealed: one closed, one killed; and what they hold."""

    log: Path
    closed: Path
    killed: Path
    truth: dict[str, pl.DataFrame]
    sealed: dict[str, pl.DataFrame]
    until: datetime


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Stores:
    directory = tmp_path_factory.mktemp("stores")
    log = directory / "mail.log"
    lines = lab_lines()[:2000]
    log.write_bytes(b"".join(lines))
    feeder = Feeder(directory / "closed")
    database = feeder.database
    # As whoever loads lines cleans them: otherwise they would not be known again.
    clean = cleaner(Settings(), library(), database.secret())
    lines = clean(b"".join(lines)).splitlines(keepends=True)
    fed = arrivals(lines, range(0, len(lines), 200), str(log))
    for arrival in fed[:6]:
        feeder.feed(arrival)
    feeder.writer.checkpoint()
    first, until = database.connection.execute(
        "select min(time), quantile_disc(time, 0.8) from events"
    ).fetchall()[0]
    for table in TABLES.values():
        if database.value(f"select count(*) from hot.{table.name} where {table.time} < ?", [until]):
            sealing.seal(database, sealing.Slice(table, first.date(), datetime(2026, 1, 1), until))
    database.connection.execute("checkpoint")
    for arrival in fed[6:]:
        feeder.feed(arrival)
    shutil.copytree(directory / "closed", directory / "killed")
    truth = contents(database)
    sealed = {
        name: database.frame(found).select(pl.exclude("batch"))
        for name, table in TABLES.items()
        if (found := database.sealed(table)) is not None
    }
    feeder.writer.checkpoint()
    feeder.close()
    assert (directory / "killed" / WAL).stat().st_size > 100_000
    assert not (directory / "closed" / WAL).exists()
    return Stores(log, directory / "closed", directory / "killed", truth, sealed, until)


def damage(path: Path, way: str, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    at = chance.randrange(len(data))
    if way == "cut":
        del data[at:]
    else:
        for place in range(at, min(at + 64, len(data))):
            data[place] ^= chance.randrange(1, 256)
    path.write_bytes(data)


def holds_all_that_is_sealed(stores: Stores, store: Path) -> None:
    database = Database(store, read_only=True)
    for name, frame in stores.sealed.items():
        table = TABLES[name]
        there = database.frame(f"select * from {name} where {table.time} < ?", [stores.until])
        key = [column for column in frame.columns if frame[column].dtype != pl.List(pl.String)]
        assert len(there) <= len(stores.truth[name].filter(pl.col(table.time) < stores.until)), name
        assert not len(frame.join(there, on=key, how="anti", nulls_equal=True)), name
    assert upkeep.check(database, thorough=True) == []
    database.close()


@pytest.mark.parametrize("way", ["flip", "cut"])
@pytest.mark.parametrize("which", ["closed", "killed", "log"])
@pytest.mark.parametrize("seed", range(int(os.environ.get("MAILSCOPE_DAMAGES", "1"))))
def test_damage_anywhere(stores: Stores, tmp_path: Path, which: str, way: str, seed: int) -> None:
    store = tmp_path / "store"
    shutil.copytree(stores.closed if which == "closed" else stores.killed, store)
    path = store / (WAL if which == "log" else FILE)
    damage(path, way, random.Random(f"{which} {way} {seed}"))
    before = path.read_bytes()
    # It is told, and what is sealed can be looked at, whatever the damage.
    told = run("store", "verify", "--store", str(store))
    asked = ["trace", "root@lab.example", "--tz", "UTC", "--store", str(store), "--format", "json"]
    answer = CliRunner().invoke(mailscope, asked)
    assert answer.exception is None or isinstance(answer.exception, SystemExit | MailscopeError), told
    done = rebuild(store, library(), ZONE)
    if done.made:
        assert FILE in told or "hot." in told or "own." in told or which == "log"
        (aside,) = kept_aside(store)
        kept = aside.with_name(aside.name + ".wal") if which == "log" else aside
        assert kept.read_bytes() == before
    assert list(store.glob(f"*{NEW}*")) == []
    holds_all_that_is_sealed(stores, store)
    # What was lost is in the log still: it is stored again, and nothing twice.
    run("ingest", "--tz", "UTC", "--store", str(store), str(stores.log))
    database = Database(store, read_only=True)
    assert_same(stores.truth, contents(database))
    database.close()
    assert report("--store", str(store)) == report(str(stores.log))


def test_a_file_that_is_gone_is_made_anew_of_the_sealed_ones(stores: Stores, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(stores.closed, store)
    (store / FILE).unlink()
    # A new, empty store in its place would have removed the sealed files.
    with pytest.raises(DamagedError, match="it is gone, and sealed files are there"):
        Database(store)
    assert "it is gone" in run("store", "status", "--store", str(store))
    done = rebuild(store, library(), ZONE)
    assert (done.aside, done.resumed, done.lost) == (None, False, {"the whole file": "it is gone"})
    assert done.after is not None
    assert done.after < stores.until
    holds_all_that_is_sealed(stores, store)


def test_the_sealed_part_answers_while_the_database_cannot(stores: Stores, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(stores.closed, store)
    (store / FILE).write_bytes(bytes(9_000))
    done = CliRunner().invoke(
        mailscope, ["sql", "--store", str(store), "--format", "csv", "select count(*) from events"]
    )
    assert done.stdout.split() == ["count_star()", str(len(stores.sealed["events"]))]
    assert report("--store", str(store))["attempts"]
    assert f"{FILE}: it is damaged" in run("store", "verify", "--store", str(store))
    assert (store / FILE).read_bytes() == bytes(9_000)


def test_what_was_replaced_or_forgotten_does_not_come_back(stores: Stores, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(stores.closed, store)
    old = {path: path.read_bytes() for path in (store / "events").glob("day=*/*")}
    person = stores.sealed["deliveries"]["recipient"].drop_nulls().sort()[0]
    run("privacy", "erase", person, "--yes", "--store", str(store))
    database = Database(store)
    truth = contents(database)
    secret = database.secret()
    database.close()
    # As a crash leaves them, which came before they were removed.
    for path, data in old.items():
        assert not path.exists()
        path.write_bytes(data)
    (store / FILE).unlink()
    done = rebuild(store, library(), ZONE)
    assert not done.new_secret
    database = Database(store)
    assert database.secret() == secret
    assert sorted(path for path in manifest_log.named(database)) == sorted(manifest_log.read(store).live)
    named = "select count(*) from events where contains(raw, ?)"
    assert (
        database.value(named, [f"<{person}>"])
        == 0
        < len(stores.truth["events"].filter(pl.col("raw").str.contains(f"<{person}>", literal=True)))
    )
    assert database.value("select count(*) from events") <= len(truth["events"])
    assert set(sealing.remove_strays(database)) == {path.relative_to(store).as_posix() for path in old}
    database.close()


def test_a_store_without_a_log_of_its_manifest(stores: Stores, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(stores.closed, store)
    (store / manifest_log.FILE).unlink()
    (store / FILE).write_bytes(b"nothing")
    done = rebuild(store, library(), ZONE)
    assert not done.logged
    holds_all_that_is_sealed(stores, store)
    assert len(manifest_log.read(store).live) == len(stores.sealed)


def test_a_whole_store_is_left_alone(stores: Stores, tmp_path: Path) -> None:
    for name in ("closed", "killed"):
        store = tmp_path / name
        shutil.copytree(getattr(stores, name), store)
        before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
        assert "nothing was changed" in run("store", "rebuild", "--store", str(store))
        assert before == {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}


def fail_in_between(database: Database) -> None:
    with database.transaction():
        database.connection.execute("delete from own.manifest")
        raise InputError("broken off")


def test_the_manifest_log_follows_what_is_stored_and_not_what_failed(stores: Stores, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(stores.closed, store)
    database = Database(store)
    before = manifest_log.read(store).live
    with pytest.raises(MailscopeError, match="broken off"):
        fail_in_between(database)
    assert manifest_log.read(store).live == before
    with database.transaction():
        database.connection.execute("delete from own.manifest where name = 'links'")
        database.connection.execute("delete from own.manifest where name = 'sessions'")
    after = manifest_log.read(store)
    assert {entry.table for entry in after.live.values()} == {entry.table for entry in before.values()} - {
        "links",
        "sessions",
    }
    database.close()
    # A line that was cut off counts for nothing, and swallows none.
    with (store / manifest_log.FILE).open("ab") as file:
        file.write(b'{"add": [], "drop": ["ev')
    database = Database(store)
    with database.transaction():
        database.connection.execute("delete from own.manifest where name = 'messages'")
    assert "messages" not in {entry.table for entry in manifest_log.read(store).live.values()}
    assert manifest_log.read(store).damaged == 1
    database.close()


def test_a_file_older_than_the_sealed_ones_is_not_used(stores: Stores, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(stores.closed, store)
    old = (store / FILE).read_bytes()
    database = Database(store)
    entry = next(iter(manifest_log.named(database)))
    table = TABLES[entry.partition("/")[0]]
    last = database.value(f"select max({table.time}) from hot.{table.name}")
    sealing.seal(database, sealing.Slice(table, last.date(), datetime(2026, 1, 1), last))
    assert upkeep.compact(database, table, last.date())
    truth = contents(database)
    database.close()
    (store / FILE).write_bytes(old)
    with pytest.raises(DamagedError, match="older than the sealed files"):
        Database(store)
    rebuild(store, library(), ZONE)
    database = Database(store)
    assert_same(truth, contents(database))
    database.close()
