"""The command line of explain, and of coverage --causes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailscope.cli.main import mailscope
from mailscope.vocabulary.errors import UsageError

LINE = "Nov 22 04:00:42 mail postfix/smtp[1]: 4B5C61F00D: to=<b@example.net>, relay=none, delay=1, delays=1/0/0/0, dsn={}"


def run(*arguments: object, text: str | None = None) -> Result:
    return CliRunner().invoke(mailscope, list(map(str, arguments)), input=text)


def test_words_need_no_quotes() -> None:
    result = run("explain", "--lang", "en", "550", "5.2.2", "Mailbox", "full")
    assert result.exit_code == 0
    assert "Mailbox full (mailbox_full)" in result.stdout


def test_json_holds_what_is_known() -> None:
    [told] = json.loads(run("explain", "--format", "json", "--lang", "sv", "5.2.2").stdout)
    assert told["cause"] == "mailbox_full"
    assert told["fault"] == "recipient"
    assert told["codes"] == {"5.2.2": "Brevlådan är full."}


def test_standard_input_is_read(tmp_path: Path) -> None:
    dsn = "Final-Recipient: rfc822; bob@example.net\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no\n"
    result = run("explain", "--lang", "it", "-", text=dsn)
    assert "<bob@example.net>" in result.stdout
    assert "Destinatario sconosciuto (unknown_recipient)" in result.stdout


def test_an_unknown_language_is_refused() -> None:
    result = run("explain", "--lang", "xx", "550")
    assert isinstance(result.exception, UsageError)
    assert "unknown language 'xx'" in str(result.exception)
    assert "en, zh, it, sv" in str(result.exception)


def test_hostile_words_reach_no_terminal() -> None:
    result = run("explain", "550 5.1.1 \x1b[2Jno such user")
    assert result.exit_code == 0
    assert "\x1b[2J" not in result.stdout


def test_wide_characters_take_two_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    from mailscope.cli.terminal import columns

    lines = run("explain", "--lang", "zh", "greylisted").stdout.splitlines()
    assert max(map(columns, lines)) <= 60


def test_coverage_shows_what_has_no_cause(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    known = LINE.format("5.1.1, status=bounced (host mx.example.net[192.0.2.1] said: 550 5.1.1 User unknown)")
    strange = LINE.format("5.0.0, status=bounced (host mx.example.net[192.0.2.1] said: 550 xyzzy)")
    path.write_text("\n".join([known, strange, strange, LINE.format("2.0.0, status=sent (250 ok)")]) + "\n")
    found = json.loads(run("coverage", "--causes", "--format", "json", "--tz", "UTC", path).stdout)
    assert (found["failures"], found["classified"], found["unclassified"]) == (3, 1, 2)
    [shape] = found["shapes"]
    assert (shape["shape"], shape["count"], shape["line_number"]) == ("host said: 550 xyzzy", 2, 2)
    text = run("coverage", "--causes", "--tz", "UTC", path).stdout
    assert "3 failed attempts and rejects: 1 with a known cause, 33.333 %, 2 unclassified" in text
    assert run("coverage", "--causes", "--min-share", "50", "--tz", "UTC", path).exit_code == 1
