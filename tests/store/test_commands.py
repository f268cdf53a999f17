"""The commands on a store tell the same as on the files that were loaded into it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mailscope.cli.main import mailscope
from mailscope.vocabulary.errors import MailscopeError

ROOT = Path(__file__).parents[2]
LOGS = str(ROOT / "examples" / "postfix")
# Says where the lines are, which is not the same.
PLACES = {"evidence", "sources", "source", "line_number", "command", "commands"}


def run(*words: str) -> str:
    done = CliRunner().invoke(mailscope, words, catch_exceptions=True)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code in (0, 1), done.output
    return done.stdout


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = str(tmp_path_factory.mktemp("loaded") / "store")
    run("ingest", "--tz", "UTC", "--store", place, LOGS)
    return place


def told(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: told(each) for name, each in value.items() if name not in PLACES}
    return [told(each) for each in value] if isinstance(value, list) else value


def test_report(store: str) -> None:
    here = json.loads(run("report", "--tz", "UTC", "--format", "json", "--store", store))
    there = json.loads(run("report", "--tz", "UTC", "--format", "json", LOGS))
    assert told(here) == told(there)


@pytest.mark.parametrize("span", [("--since", "2026-11-21 14:48:30"), ("--host", "mail")])
def test_report_of_what_is_not_whole_hours(store: str, span: tuple[str, str]) -> None:
    here = json.loads(run("report", "--tz", "UTC", "--format", "json", *span, "--store", store))
    there = json.loads(run("report", "--tz", "UTC", "--format", "json", *span, LOGS))
    assert told(here)["attempts"] == told(there)["attempts"]
    assert told(here)["lines"]["recognised"] == told(there)["lines"]["recognised"]


@pytest.mark.parametrize(
    "query",
    [
        "root@lab.example",
        "ROOT@LAB.EXAMPLE",
        "4jXFRN360MzCb9H",
        "<orig@lab.example>",
        "reject.example",
        "@pipe.example",
        "127.0.0.15",
    ],
)
def test_trace(store: str, query: str) -> None:
    words = ("trace", query, "--tz", "UTC", "--format", "json", "--limit", "1000")
    here, there = json.loads(run(*words, "--store", store)), json.loads(run(*words, LOGS))
    assert here
    assert told(here) == told(there)


def test_about(store: str) -> None:
    words = ("about", "127.0.0.15", "--tz", "UTC", "--format", "json")
    here, there = json.loads(run(*words, "--store", store)), json.loads(run(*words, LOGS))
    assert here["lines"] == there["lines"] > 0


def test_coverage_and_logins(store: str) -> None:
    for words in (("coverage", "--format", "json"), ("logins", "--tz", "UTC", "--format", "json")):
        here, there = json.loads(run(*words, "--store", store)), json.loads(run(*words, LOGS))
        assert told(here) == told(there)


def test_loading_again_changes_nothing(store: str) -> None:
    before = run("report", "--tz", "UTC", "--format", "json", "--store", store)
    rows = run("sql", "--store", store, "--format", "csv", "select count(*) from events")
    run("ingest", "--tz", "UTC", "--store", store, LOGS)
    assert run("sql", "--store", store, "--format", "csv", "select count(*) from events") == rows
    assert run("report", "--tz", "UTC", "--format", "json", "--store", store) == before


def test_sql_answers_in_every_form(store: str, tmp_path: Path) -> None:
    statement = "select status, count(*) as attempts from deliveries group by status order by status"
    assert run("sql", "--store", store, "--format", "csv", statement).splitlines()[1] == "bounced,219"
    assert json.loads(run("sql", "--store", store, "--format", "json", statement).splitlines()[0]) == {
        "status": "bounced",
        "attempts": 219,
    }
    assert "(5 rows)" in run("sql", "--store", store, statement)
    file = tmp_path / "answer.parquet"
    run("sql", "--store", store, "-o", str(file), statement)
    import polars as pl

    assert pl.read_parquet(file)["attempts"].sum() == 1723


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("delete from hot.events", "only SELECT"),
        ("select 1; select 2", "2 statements"),
        ("select * from read_text('/etc/passwd')", "disabled"),
        ("copy events to '/tmp/stolen.csv'", "only SELECT"),
        ("select statuss from deliveries", "status"),
        ("attach '/tmp/other.duckdb'", "only SELECT"),
        ("set enable_external_access = true", "only SELECT"),
    ],
)
def test_sql_that_does_not_only_read_is_refused(store: str, statement: str, words: str) -> None:
    with pytest.raises(MailscopeError, match=words):
        run("sql", "--store", store, statement)


def test_cells_are_safe_for_spreadsheets_and_terminals(store: str) -> None:
    assert "'=1+1" in run("sql", "--store", store, "--format", "csv", "select '=1+1' as cell")
    assert "\x1b" not in run("sql", "--store", store, "select chr(27) || '[2J' as cell")


def test_damage_is_named_and_the_rest_can_be_read(store: str, tmp_path: Path) -> None:
    copy = str(tmp_path / "copy")
    run("store", "backup", "--store", store, copy)
    assert "as it was written" in run("store", "verify", "--store", copy)
    damaged = sorted(Path(copy, "events").glob("day=*/*.parquet"))[0]
    data = bytearray(damaged.read_bytes())
    data[len(data) // 2] ^= 0xFF
    damaged.write_bytes(bytes(data))
    name = damaged.relative_to(copy).as_posix()
    assert f"{name}: its contents were changed" in run("store", "verify", "--store", copy)
    with pytest.raises(MailscopeError, match="contents were changed"):
        run("store", "backup", "--store", copy, str(tmp_path / "second"))
    run("store", "verify", "--set-aside", "--store", copy)
    left = int(run("sql", "--store", copy, "--format", "csv", "select count(*) from events").split()[1])
    assert 0 < left < 10_994
    damaged.unlink()
    assert f"DAMAGED: {name}: it is missing" in run("store", "status", "--store", copy)


def test_a_backup_is_the_store(store: str, tmp_path: Path) -> None:
    copy, again = str(tmp_path / "copy"), str(tmp_path / "again")
    run("store", "backup", "--store", store, copy)
    run("store", "restore", "--store", again, copy)
    words = ("report", "--tz", "UTC", "--format", "json")
    assert told(json.loads(run(*words, "--store", again))) == told(json.loads(run(*words, "--store", store)))
    with pytest.raises(MailscopeError, match="a store already"):
        run("store", "restore", "--store", again, copy)


def test_no_store(tmp_path: Path) -> None:
    with pytest.raises(MailscopeError, match="no store"):
        run("report", "--store", str(tmp_path / "none"))
    with pytest.raises(MailscopeError, match="does not go with FILES"):
        run("report", "--store", str(tmp_path / "none"), LOGS)
