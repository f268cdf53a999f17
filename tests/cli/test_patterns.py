"""``mailscope patterns``: list, check, try, fields."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result

from mailscope.cli.main import mailscope
from mailscope.cli.terminal import safe
from mailscope.vocabulary.errors import MailscopeError, PatternError, UsageError
from mailscope.vocabulary.fields import FIELDS

GREYLISTD: Final = """\
[program]
name    = "site/greylistd"
service = "greylistd"
tags    = ['greylistd']

[[event]]
event   = "policy_result"
match   = 'action={action}, client={client_ip}'
meaning = "The greylisting daemon gave its verdict."
[[event.example]]
text    = 'action=defer, client=192.0.2.7'
fields  = { action = "defer", client_ip = "192.0.2.7" }
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "greylistd.toml").write_text(GREYLISTD)
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(mailscope, ["patterns", *map(str, arguments)])


def tried(*arguments: object) -> dict[str, Any]:
    result = run("try", "--format", "json", "--tz", "UTC", *arguments)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


# ---------------------------------------------------------------- list, check, fields


def test_list_shows_events_meanings_and_fields(own: Path) -> None:
    rows = json.loads(run("list", "--format", "json", "--patterns", own, "site/greylistd").stdout)
    assert rows == [
        {
            "file": "site/greylistd",
            "event": "policy_result",
            "match": "action={action}, client={client_ip}",
            "meaning": "The greylisting daemon gave its verdict.",
            "fields": ["action", "client_ip"],
        }
    ]
    assert "site/greylistd: policy_result: The greylisting" in run("list", "--patterns", own).stdout


def test_list_of_an_unknown_file_says_so() -> None:
    result = run("list", "postfix/nonsense")
    assert isinstance(result.exception, MailscopeError)
    assert "postfix/nonsense: there is no such pattern file" in str(result.exception)


def test_all_pattern_files_pass_their_check() -> None:
    result = run("check")
    assert result.exit_code == 0, result.stderr
    assert "all examples read as written" in result.stdout


def test_check_names_what_is_wrong(own: Path) -> None:
    file = own / "site" / "greylistd.toml"
    file.write_text(GREYLISTD.replace('fields  = { action = "defer"', 'fields  = { action = "pass"'))
    result = run("check", "--patterns", own, "site/greylistd")
    assert isinstance(result.exception, MailscopeError)
    assert "greylistd.toml event 1 (policy_result): its example gives" in result.stderr


def test_a_broken_file_is_one_line_with_advice(own: Path) -> None:
    file = own / "site" / "greylistd.toml"
    file.write_text(GREYLISTD.replace("{client_ip}", "{client_colour}"))
    result = run("check", "--patterns", own)
    assert isinstance(result.exception, PatternError)
    assert str(result.exception).count("\n") == 0
    assert "unknown field {client_colour}" in str(result.exception)
    assert "mailscope patterns fields" in str(result.exception)


def test_fields_are_listed() -> None:
    rows = json.loads(run("fields", "--format", "json").stdout)
    assert [row["name"] for row in rows] == [field.name for field in FIELDS]
    for field in FIELDS:
        assert f"{field.name}  " in run("fields").stdout


# ---------------------------------------------------------------- try


def test_try_tells_envelope_pattern_and_fields() -> None:
    found = tried(
        "<22>Nov 22 04:00:42 mail postfix-mx2/smtp[123]: 4B5C61F00D: to=<bob@example.net>, relay=none, "
        "delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred (connect to mx.example.net[192.0.2.9]:25: no)"
    )
    envelope = found["envelope"]
    assert envelope.pop("time").endswith("-11-22T04:00:42.000000Z")
    assert envelope == {
        "time_quality": "year_inferred,zone_assumed",
        "host": "mail",
        "program": "postfix-mx2/smtp",
        "service": "smtp",
        "instance": "postfix-mx2",
        "pid": 123,
        "facility": "mail",
        "severity": "info",
    }
    assert found["event"] == "delivery_attempted"
    assert found["pattern"]["file"] == "postfix/delivery.toml"
    assert found["pattern"]["meaning"]
    assert found["fields"]["queue_id"] == "4B5C61F00D"
    assert found["fields"]["status"] == "deferred"
    assert found["fields"]["delay_s"] == 1.0
    assert "relay_ip" not in found["fields"]


def test_try_gives_fields_that_a_pattern_sets() -> None:
    found = tried("Nov 22 04:00:42 mail qmail: 955436539.075785 delivery 103: success: did_1+0+0/")
    assert found["envelope"]["time"] == "2000-04-11T07:02:19.075785Z"
    assert found["fields"] == {"delivery_id": 103, "reason": "did_1+0+0/", "status": "sent"}


def test_try_takes_the_zone_of_stamps() -> None:
    line = "2026-11-22 04:00:42 mail postfix/qmgr[1]: 4B5C61F00D: removed"
    result = run("try", "--tz", "Europe/Rome", line)
    assert "2026-11-22T03:00:42.000000Z" in result.stdout


def test_try_of_an_admins_own_line(own: Path) -> None:
    line = "Nov 22 04:00:42 mail greylistd[7]: action=defer, client=192.0.2.7"
    assert tried(line)["covered"] is False
    assert "no pattern file knows this program" in run("try", line).stdout
    found = tried("--patterns", own, line)
    assert found["event"] == "policy_result"
    assert found["pattern"]["file"] == str(own / "site" / "greylistd.toml")


def test_try_of_a_bare_text_holds_it_against_all_programs() -> None:
    found = tried("4B5C61F00D: client=mx.example.org[192.0.2.7]")
    assert found["event"] == "accepted"
    assert "postfix/smtpd" in {
        *found["programs"],
        *(name.split(".toml")[0] for name in found.get("also", ())),
    }
    assert found["fields"]["client_ip"] == "192.0.2.7"


def test_try_of_an_unknown_line_shows_how_far_patterns_get() -> None:
    found = tried(
        "Nov 22 04:00:42 mail postfix/qmgr[1]: 4B5C61F00D: from=<a@example.org>, size=many, nrcpt=1"
    )
    assert found["event"] == "unrecognised"
    nearest = found["candidates"][0]
    assert nearest["file"] == "postfix/qmgr.toml"
    assert nearest["matches"] == "from=<a@example.org>, size="
    assert nearest["stops_at"] == "many, nrcpt=1"
    text = run(
        "try", "Nov 22 04:00:42 mail postfix/qmgr[1]: 4B5C61F00D: from=<a@example.org>, size=many"
    ).stdout
    assert "stops at  many" in text


def test_try_of_a_line_that_ends_too_early() -> None:
    found = tried("Nov 22 04:00:42 mail postfix/qmgr[1]: 4B5C61F00D: from=<a@example.org>, size=12")
    assert found["candidates"][0]["stops_at"] == ""
    assert (
        "the pattern wants more"
        in run(
            "try", "Nov 22 04:00:42 mail postfix/qmgr[1]: 4B5C61F00D: from=<a@example.org>, size=12"
        ).stdout
    )


@pytest.mark.parametrize("line", ["", "  ", "one\ntwo"])
def test_try_wants_one_line(line: str) -> None:
    assert isinstance(run("try", line).exception, UsageError)


def test_try_does_not_drive_the_terminal() -> None:
    line = "Nov 22 04:00:42 mail postfix/qmgr[1]: \x1b[2J\x9b1m\u202e\x7f"
    for form in ("text", "json"):
        output = run("try", "--format", form, line).stdout
        assert all(safe(each) == each for each in output.split("\n"))


def test_try_of_a_text_that_anybody_could_have_written() -> None:
    # Behind jgreylist's tag any text is an error of it; without a tag it is nobody's.
    assert tried("hello world")["event"] == "unrecognised"
