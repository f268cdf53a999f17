"""``mailscope privacy``: what is found is told, asked about, done, and shown to be done."""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from storing import Feeder, arrivals, lab_lines

from mailscope.cli.main import mailscope
from mailscope.cli.privacy_export import _twice
from mailscope.store import audit

NAME = "alice@lab.example"


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("private") / "store"
    feeder = Feeder(place)
    feeder.feed(*arrivals(lab_lines()[:1500], ()))
    feeder.writer.checkpoint()
    feeder.close()
    return place


@pytest.fixture
def store(origin: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(origin, tmp_path / "store"))


def run(*words: object, answer: str | None = None) -> Result:
    done = CliRunner().invoke(mailscope, [str(word) for word in ("privacy", *words)], input=answer)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def named(store: Path) -> bool:
    return any(NAME.encode() in path.read_bytes() for path in store.rglob("*") if path.is_file())


def test_a_plan_and_an_answer_no_change_nothing(store: Path) -> None:
    for words, answer in (("--dry-run", None), ("--yes", None)):
        told = run("erase", NAME, "--store", store, "--dry-run", words, answer=answer)
        assert "events" in told.stderr
        assert "deliveries" in told.stderr
    assert run("erase", NAME, "--store", store, answer="n\n").exit_code == 1
    assert named(store)
    assert [entry.what for entry in audit.entries(store)] == ["privacy erase"] * 3


def test_erase_gives_a_receipt_that_can_be_verified(store: Path, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    done = run("erase", "Alice@Lab.example", "--store", store, "-o", receipt, answer="y\n")
    assert done.exit_code == 0, done.output
    assert not named(store)
    told = json.loads(receipt.read_text())
    assert told["changed"]["events"] > 0
    assert NAME not in receipt.read_text()
    assert run("verify-receipt", receipt, "--store", store).exit_code == 0
    assert run("verify-receipt", receipt, NAME.upper(), "--store", store).exit_code == 0
    assert run("verify-receipt", receipt, "bob@lab.example", "--store", store).exit_code == 1
    receipt.write_text(json.dumps({**told, "who": "somebody"}))
    assert "changed" in run("verify-receipt", receipt, "--store", store).stdout


def test_a_file_that_is_none_of_the_stores_is_named(store: Path) -> None:
    (store / "notes.txt").write_text(f"ask {NAME}\n")
    done = run("erase", NAME, "--store", store, "--yes")
    assert done.exit_code == 1
    assert "notes.txt: it is none of the store's files" in done.stderr


@pytest.mark.parametrize(
    ("language", "word"), [("en", "spreadsheet"), ("sv", "kalkylprogram"), ("zh", "电子表格")]
)
def test_export(store: Path, tmp_path: Path, language: str, word: str) -> None:
    output = tmp_path / "alice.zip"
    run("export", NAME, "alice", "--store", store, "-o", output, "--lang", language)
    assert output.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(output) as packed:
        names = packed.namelist()
        page = packed.read("README.txt").decode()
        lines = packed.read("lines.log").decode().splitlines()
        events = list(csv.DictReader(io.StringIO(packed.read("events.csv").decode())))
        records = json.loads(packed.read("events.json"))
        tallies = json.loads(packed.read("tallies.json"))
    assert word in page
    assert NAME in page
    assert all("alice" in line.lower() for line in lines)
    assert len(lines) == len(events) == len(records) > 10
    wanted = sum(NAME in line.decode().lower() for line in lab_lines()[:1500])
    assert sum(NAME in line.lower() for line in lines) == wanted
    assert {"messages.csv", "deliveries.csv", "lookups.csv", "columns.csv"} <= set(names)
    assert any(row.get("sender") == NAME for row in tallies)
    assert all(f"{name.partition('.')[0]}." in page for name in names if name != "README.txt")


def test_an_account_of_the_live_page_stays_and_is_told(store: Path) -> None:
    from mailscope.web.people import accounts
    from mailscope.web.people.book import Book

    book = Book(store)
    accounts.add(book, NAME, "admin")
    book.close()
    done = run("erase", NAME, "--store", store, "--yes")
    assert done.exit_code == 0, done.stderr
    assert f"{NAME} has an account of the live page" in done.stderr


def test_lists_are_words_in_csv_and_lists_in_json() -> None:
    rows = pl.DataFrame(
        {"symbols": [["=SPAM(1)", "BAYES"], None], "recipient": ["a@example.org", "b@example.org"]}
    )
    as_csv, as_json = _twice("events", rows)
    assert [row["symbols"] for row in csv.DictReader(io.StringIO(as_csv.data.decode()))] == [
        "'=SPAM(1) BAYES",
        "",
    ]
    assert json.loads(as_json.data)[0]["symbols"] == ["=SPAM(1)", "BAYES"]
