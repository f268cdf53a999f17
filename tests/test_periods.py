"""``--period``: one day, week or month, which is just what --since and --until make of it, and its history."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mailscope.cli.period import parse
from mailscope.vocabulary.calendar import Calendar
from mailscope.vocabulary.errors import UsageError

EXAMPLES = Path(__file__).parents[1] / "examples" / "postfix"
ROME = ZoneInfo("Europe/Rome")
HISTORICAL = ("changes", "changes_of_bytes", "changes_of_delays", "by_week", "trends", "heatmap")


def run(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    words = [sys.executable, "-m", "mailscope", "report", *map(str, arguments)]
    return subprocess.run(
        words, input=stdin, capture_output=True, check=False, env={**os.environ, "TZ": "UTC"}
    )


def report(*arguments: object, stdin: bytes = b"") -> dict[str, Any]:
    done = run("--format", "json", *arguments, stdin=stdin)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def site(days: int, start: date = date(2026, 6, 1), jump: int = 1) -> str:
    """A log of so many days; on the last one the mail for example.net is ``jump`` times as much."""
    lines = []
    for day in range(days):
        at = datetime.combine(start, datetime.min.time()) + timedelta(days=day)
        many = 100 + (day * 37) % 11
        extra = many * (jump - 1) if day == days - 1 else 0
        for number in range(many + extra):
            when = at + timedelta(seconds=number * 86_000 // (many + extra))
            name = "net" if number >= many or number % 4 == 0 else "com"
            lines.append(
                f"{when.isoformat()}Z mx postfix/smtp[1]: 4A{day:03}{number:05}A: to=<u@example.{name}>, "
                "relay=mx[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=4.2.0, status=deferred (try later)\n"
            )
        lines.append(
            f"{(at + timedelta(seconds=86_390)).isoformat()}Z mx postfix/smtpd[1]: connect from a[192.0.2.1]\n"
        )
    return "".join(lines)


def told(section: Any) -> Any:
    """A section without the command that opens it, which names the options."""
    return {**section, "evidence": None} if isinstance(section, dict) else section


def test_a_period_is_what_since_and_until_make_of_it() -> None:
    day = report("--period", "day:2026-11-21", EXAMPLES)
    span = report("--since", "2026-11-21", "--until", "2026-11-21", EXAMPLES)
    assert day["period"]["name"] == "2026-11-21"
    for name, section in span.items():
        if name not in ("period", "problems", "comparison", "sources", *HISTORICAL):
            assert told(day[name]) == told(section), name


def test_the_last_whole_day_is_meant_also_from_a_pipe(tmp_path: Path) -> None:
    log = site(3)
    # The fourth day has begun.
    log += "2026-06-04T00:30:00Z mx postfix/smtpd[1]: connect from a[192.0.2.1]\n"
    path = tmp_path / "mail.log"
    path.write_text(log)
    assert report("--period", "day", path)["period"]["name"] == "2026-06-03"
    assert report("--period", "day", "-", stdin=log.encode())["period"]["name"] == "2026-06-03"


def test_weeks_begin_on_monday_and_months_on_the_first(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text(site(16))
    week = report("--period", "week", path)["period"]
    assert (week["name"], week["from"], week["until"]) == (
        "2026-W24", "2026-06-08T00:00:00+00:00", "2026-06-15T00:00:00+00:00",
    )  # fmt: skip
    assert report("--period", "month", path)["period"]["name"] == "2026-06"


def test_days_are_those_of_the_zone(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text("2026-06-01T23:30:00Z mx postfix/smtpd[1]: connect from a[192.0.2.1]\n")
    assert report("--period", "day", "--tz", "Europe/Rome", path)["period"]["name"] == "2026-06-02"


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)]
)
def test_days_on_which_the_clocks_change_are_shorter_or_longer(day: date, hours: int) -> None:
    span = Calendar("day", ROME).of_day(day)
    assert span.end - span.start == timedelta(hours=hours)
    assert (
        Calendar("day", ROME).of(span.start)
        == span
        == Calendar("day", ROME).of(span.end - timedelta(seconds=1))
    )


def test_a_day_without_midnight_begins_with_its_first_instant() -> None:
    # In Chile the clocks jump from 24:00 to 01:00.
    calendar = Calendar("day", ZoneInfo("America/Santiago"))
    before, day = calendar.of_day(date(2026, 9, 5)), calendar.of_day(date(2026, 9, 6))
    assert before.end == day.start
    assert day.end - day.start == timedelta(hours=23)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("day:2026-11-25", "2026-11-25"), ("day:yesterday", "2026-11-25"), ("week:2026-W48", "2026-W48"),
        ("week:2026-11-25", "2026-W48"), ("month:2026-11", "2026-11"), ("MONTH:2026-11-25", "2026-11"),
    ],
)  # fmt: skip
def test_what_may_be_typed(text: str, name: str) -> None:
    _, span = parse(text, datetime(2026, 11, 26, 12, tzinfo=UTC), ROME)
    assert span is not None
    assert span.name == name


@pytest.mark.parametrize("text", ["year", "day:3/4", "week:2026-W60", "month:2026-13", "", "days"])
def test_other_words_are_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text, datetime(2026, 11, 26, tzinfo=UTC), ROME)


def test_a_period_does_not_go_with_since_and_a_day_without_lines_is_told() -> None:
    done = run("--period", "day", "--since", "yesterday", EXAMPLES)
    assert done.returncode == 2
    assert b"--since" in done.stderr
    done = run("--period", "day:2020-01-01", EXAMPLES)
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b"2020-01-01" in done.stderr


def test_a_threefold_day_is_told_of_and_opens(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text(site(36, jump=3))
    found = report("--period", "day", path)
    assert found["comparison"]["with"] == [
        "2026-06-01",
        "2026-06-08",
        "2026-06-15",
        "2026-06-22",
        "2026-06-29",
    ]
    rows = {(row["of"], row["name"], row["measure"]): row for row in found["changes"]["rows"]}
    row = rows["recipient domain", "example.net", "deferred"]
    assert row["now"] > 3 * row["usual"]
    assert ("recipient domain", "example.com", "deferred") not in rows
    assert "changed" in {problem["kind"] for problem in found["problems"]}
    done = run("--period", "day", "--evidence", f"changes:{row['row']}", path)
    assert len(done.stdout.splitlines()) == row["now"]
    # The same of the whole log: the last whole day is compared.
    assert report(path)["changes"]["rows"] == found["changes"]["rows"]


def test_a_steady_day_has_no_changes_and_too_few_days_are_told(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text(site(36))
    assert report("--period", "day", path)["changes"]["rows"] == []
    path.write_text(site(9, jump=5))
    found = report("--period", "day", path)
    assert found["comparison"]["missing"] == 2
    assert found["changes"]["rows"] == []


def test_the_heat_map_counts_all_days_and_opens(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    line = "postfix/smtpd[1]: NOQUEUE: reject: RCPT from a[192.0.2.1]: 554 5.7.1 <b@example.net>: no; proto=ESMTP\n"
    path.write_text("".join(f"2026-06-{day:02}T07:10:00Z mx {line}" for day in (1, 8, 9)))
    found = report("--period", "day:2026-06-09", path)["heatmap"]
    assert found["kind"] == "heatmap"
    assert [(row["weekday"], row["hour"], row["rejected"]) for row in found["rows"]] == [
        (1, "07:00", 2),
        (2, "07:00", 1),
    ]
    done = run("--period", "day:2026-06-09", "--evidence", "heatmap:1:rejected", path)
    assert len(done.stdout.splitlines()) == 2


def test_a_trend_is_told_of_where_it_is_sound(tmp_path: Path) -> None:
    rows = []
    for day in range(42):
        at = datetime(2026, 6, 1) + timedelta(days=day)
        for number in range(round(50 * 1.02**day)):
            when = at + timedelta(seconds=number * 400)
            rows.append(
                f"{when.isoformat()}Z mx postfix/smtp[1]: 4A{day:03}{number:05}A: to=<u@example.net>, "
                "relay=none, delay=1, delays=0/0/0/1, dsn=4.2.0, status=deferred (try later)\n"
            )
        rows.append(
            f"{(at + timedelta(seconds=86_390)).isoformat()}Z mx postfix/smtpd[1]: connect from a[192.0.2.1]\n"
        )
    path = tmp_path / "mail.log"
    path.write_text("".join(rows))
    trend = next(row for row in report(path)["trends"]["rows"] if row["measure"] == "deferred")
    assert trend["per_week"] == pytest.approx(100 * (1.02**7 - 1), abs=1.5)
    path.write_text("".join(rows[: len(rows) // 4]))
    assert all(row["per_week"] is None for row in report(path)["trends"]["rows"])
