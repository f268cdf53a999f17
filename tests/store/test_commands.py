"""The commands on a store tell the same as on the files that were loaded into it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mailscope.cli.inputs import Inputs
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


def both(store: str, monkeypatch: pytest.MonkeyPatch, period: str, logs: str) -> tuple[Any, Any]:
    """The report of a period from the store, for which no line is looked at, and from the files."""
    words = ("report", "--tz", "UTC", "--format", "json", "--period", period)
    there = json.loads(run(*words, logs))
    with monkeypatch.context() as patch:
        patch.setattr(Inputs, "found", pytest.fail)
        return told(json.loads(run(*words, "--store", store))), told(there)


@pytest.mark.parametrize("period", ["week", "week:2026-W47", "month", "month:2026-11"])
def test_report_of_a_period(store: str, period: str, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = both(store, monkeypatch, period, LOGS)
    assert here == there


@pytest.mark.parametrize("period", ["day", "day:2026-11-18", "day:2026-11-21", "day:2026-11-22"])
def test_report_of_a_day_that_mail_is_carried_over_from(
    store: str, period: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = both(store, monkeypatch, period, LOGS)
    # Whatever is of lines and not of whole messages.
    for table in ("lines", "attempts", "rejected", "period"):
        assert here[table] == there[table], table
    # In a store a message is of the day on which it came, with the fate that it met later.
    assert here["messages"]["before_log"] <= there["messages"]["before_log"]
    assert here["messages"]["open"] <= there["messages"]["open"]


@pytest.mark.parametrize("period", ["day", "day:2026-11-23", "day:2026-11-24", "week:2026-W48"])
def test_report_of_a_day_of_which_nothing_is_left_over(
    tmp_path: Path, period: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, place = tmp_path / "mail.log", str(tmp_path / "store")
    lines = []
    for number in range(90):
        # 90 messages over three days.
        at = f"2026-11-{23 + number // 30}T{(number % 30) * 4 // 5:02}:{number % 60:02}"
        queue_id = f"4B5C61F{number:03}"
        lines += [
            f"{at}:00Z mx postfix/smtpd[9]: {queue_id}: client=host.example.org[192.0.2.{number}]",
            f"{at}:00Z mx postfix/cleanup[3]: {queue_id}: message-id=<{number}@example.org>",
            f"{at}:00Z mx postfix/qmgr[7]: {queue_id}: from=<a@example.org>, size={900 + number}, nrcpt=1 (queue active)",
            f"{at}:01Z mx postfix/smtp[4]: {queue_id}: to=<b{number % 7}@example.net>, relay=mx.example.net[198.51.100.2]:25, "
            "delay=0.5, delays=0.1/0/0.2/0.2, dsn=2.0.0, status=sent (250 2.0.0 Ok)",
            f"{at}:01Z mx postfix/qmgr[7]: {queue_id}: removed",
        ]
    log.write_text("".join(f"{line}\n" for line in lines))
    run("ingest", "--tz", "UTC", "--store", place, str(log))
    here, there = both(place, monkeypatch, period, str(log))
    assert here["messages"]["received"] == (90 if period.startswith("week") else 30)
    assert here == there


def test_report_of_a_period_that_is_empty(store: str) -> None:
    words = ("report", "--tz", "UTC", "--store", store, "--period", "day:2026-10-01")
    done = subprocess.run(
        [sys.executable, "-m", "mailscope", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "the store has no line of that time" in done.stderr


@pytest.mark.parametrize("more", [("--tz", "Asia/Kolkata"), ("--tz", "UTC", "--domain", "lab.example")])
def test_report_of_a_period_that_is_counted_from_lines(store: str, more: tuple[str, ...]) -> None:
    words = ("report", *more, "--format", "json", "--period", "day:2026-11-21")
    # Stamps without a zone are read again.
    here, there = json.loads(run(*words, "--store", store)), json.loads(run(*words, LOGS))
    assert told(here)["messages"] == told(there)["messages"]
    assert told(here)["attempts"] == told(there)["attempts"]


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


def test_a_cut_file_is_said_and_the_rest_answers(
    store: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    copy = str(tmp_path / "copy")
    run("store", "backup", "--store", store, copy)
    cut = sorted(Path(copy, "events").glob("day=*/*.parquet"))[0]
    cut.write_bytes(cut.read_bytes()[:-100])
    name = cut.relative_to(copy).as_posix()
    done = CliRunner().invoke(mailscope, ["trace", "root@lab.example", "--tz", "UTC", "--store", copy])
    assert done.exit_code == 0
    assert f"{name}: it has" in done.stderr
    assert "what it held is left out" in done.stderr
    left = int(run("sql", "--store", copy, "--format", "csv", "select count(*) from events").split()[1])
    assert 0 <= left < 10_994
    assert f"DAMAGED: {name}" in run("store", "status", "--store", copy)
    assert f"{name}: it has" in run("store", "verify", "--store", copy)


def test_a_damaged_database_is_named(store: str, tmp_path: Path) -> None:
    copy = str(tmp_path / "copy")
    run("store", "backup", "--store", store, copy)
    path = Path(copy, "mailscope.duckdb")
    data = bytearray(path.read_bytes())
    data[:16384] = bytes(16384)
    path.write_bytes(data)
    assert "mailscope.duckdb: it is damaged" in run("store", "verify", "--store", copy)
    # What is sealed is told all the same.
    for words in (("trace", "root@lab.example"), ("report",)):
        done = CliRunner().invoke(mailscope, [*words, "--store", copy])
        assert done.exit_code == 0
        assert "mailscope.duckdb: it is damaged" in done.stderr
