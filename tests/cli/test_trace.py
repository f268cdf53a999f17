"""``mailscope trace``: found or not, in words or as data, whatever the log holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result

from mailscope.cli.main import mailscope
from mailscope.cli.terminal import columns, safe
from mailscope.trails.search import beside, probe
from mailscope.vocabulary.errors import UsageError

LOG: Final = """\
2026-11-22T03:45:10.000000+00:00 mail postfix/smtpd[10]: connect from mx.example.net[192.0.2.7]
2026-11-22T03:45:10.500000+00:00 mail postfix/smtpd[10]: 4B5C61F00D: client=mx.example.net[192.0.2.7]
2026-11-22T03:45:10.600000+00:00 mail postfix/cleanup[11]: 4B5C61F00D: message-id=<1@example.net>
2026-11-22T03:45:10.700000+00:00 mail postfix/qmgr[12]: 4B5C61F00D: from=<alice@example.net>, size=912, nrcpt=2 (queue active)
2026-11-22T03:45:11.000000+00:00 mail postfix/local[13]: 4B5C61F00D: to=<bob@example.org>, relay=local, \
delay=0.5, delays=0.2/0/0/0.3, dsn=2.0.0, status=sent (delivered to mailbox)
2026-11-22T03:45:12.250000+00:00 mail postfix/smtp[14]: 4B5C61F00D: to=<carol@example.com>, \
relay=mx.example.com[192.0.2.25]:25, delay=1.7, delays=0.2/0/1/0.5, dsn=4.2.0, status=deferred \
(host mx.example.com[192.0.2.25] said: 450 4.2.0 Greylisted (in reply to RCPT TO command))
2026-11-22T05:15:12.250000+00:00 mail postfix/smtp[14]: 4B5C61F00D: to=<carol@example.com>, \
relay=mx.example.com[192.0.2.25]:25, delay=5401, delays=5400/0/1/0.5, dsn=2.0.0, status=sent (250 2.0.0 Ok)
2026-11-22T05:15:12.300000+00:00 mail postfix/qmgr[12]: 4B5C61F00D: removed
"""
TEXT: Final = """\
message 4B5C61F00D on mail
  sent      <bob@example.org>
            local: delivered to mailbox
  sent      <carol@example.com> after 2 tries
            mx.example.com [192.0.2.25]: 250 2.0.0 Ok
  from <alice@example.net>, 912 bytes, Message-ID <1@example.net>, 2026-11-22
  04:45:10 +0100 to 2026-11-22 06:15:12 +0100, trail 7cd5e8a249d7984a
  smtpd session of mx.example.net [192.0.2.7], 1 message taken in
  2026-11-22 +0100
  04:45:10          smtpd   connection from mx.example.net [192.0.2.7]
  04:45:10    +0.5s smtpd   taken in from mx.example.net [192.0.2.7]
  04:45:10    +0.1s cleanup Message-ID <1@example.net>
  04:45:10    +0.1s qmgr    queued: 2 recipients, 912 bytes, from
                            <alice@example.net>
  04:45:11    +0.3s local   delivered to <bob@example.org> by local: delivered
                            to mailbox
  04:45:12   +1.25s smtp    put off for <carol@example.com> by mx.example.com
                            [192.0.2.25]: host mx.example.com[192.0.2.25] said:
                            450 4.2.0 Greylisted (in reply to RCPT TO command);
                            it will be tried again
  06:15:12   +1h30m smtp    delivered to <carol@example.com> via mx.example.com
                            [192.0.2.25]: 250 2.0.0 Ok
  06:15:12   +0.05s qmgr    left the queue
"""
HOSTILE: Final = b"\x1b]0;title\x07 \x1b[31m \xc2\x9b31m \x7f \xe2\x80\xae \xff"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "mail.log"
    path.write_text(LOG)
    return path


def run(*arguments: object, **more: Any) -> Result:
    return CliRunner(env={"COLUMNS": "80"}).invoke(mailscope, ["trace", *map(str, arguments)], **more)


def trails(*arguments: object) -> list[dict[str, Any]]:
    result = run(*arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_the_fate_first_then_what_happened(log: Path) -> None:
    result = run("4B5C61F00D", log, "--tz", "Europe/Rome")
    assert (result.exit_code, result.stdout) == (0, TEXT)


def test_raw_lines_below_each_step(log: Path) -> None:
    lines = run("4B5C61F00D", log, "--raw", "--tz", "UTC").stdout.splitlines()
    shown = [line.strip() for line in lines if str(log) in line]
    assert shown == [f"{log}:{number}: {line}" for number, line in enumerate(LOG.splitlines(), 1)]


def test_json_is_a_list_of_trails(log: Path) -> None:
    (trail,) = trails("4B5C61F00D", log)
    session = trail.pop("session")
    assert (session["client_ip"], session["queue_ids"]) == ("192.0.2.7", ["4B5C61F00D"])
    assert (session["result"], "end" in session) == ("accepted", False)
    assert {name: value for name, value in trail.items() if not isinstance(value, list)} == {
        "trail_id": "7cd5e8a249d7984a",
        "host": "mail",
        "instance": "postfix",
        "queue_id": "4B5C61F00D",
        "message_id": "1@example.net",
        "sender": "alice@example.net",
        "size_bytes": 912,
        "first_time": "2026-11-22T03:45:10.500000Z",
        "last_time": "2026-11-22T05:15:12.300000Z",
        "ended": "removed",
        "matched": True,
    }
    assert [(each["recipient"], each["status"], len(each["attempts"])) for each in trail["recipients"]] == [
        ("bob@example.org", "sent", 1),
        ("carol@example.com", "sent", 2),
    ]
    assert trail["recipients"][1]["attempts"][0] == {
        "time": "2026-11-22T03:45:12.250000Z",
        "status": "deferred",
        "relay_host": "mx.example.com",
        "relay_ip": "192.0.2.25",
        "relay_port": 25,
        "dsn_status": "4.2.0",
        "reply_code": 450,
        "reason": "host mx.example.com[192.0.2.25] said: 450 4.2.0 Greylisted (in reply to RCPT TO command)",
        "cause": "greylisted",
        "delay_s": 1.7,
        "delay_before_queue_s": 0.2,
        "delay_in_queue_s": 0.0,
        "delay_connect_s": 1.0,
        "delay_transmit_s": 0.5,
    }
    assert trail["events"][3] == {
        "time": "2026-11-22T03:45:10.700000Z",
        "since_s": 0.1,
        "event": "queued",
        "host": "mail",
        "program": "postfix/qmgr",
        "service": "qmgr",
        "instance": "postfix",
        "pid": 12,
        "queue_id": "4B5C61F00D",
        "sender": "alice@example.net",
        "size_bytes": 912,
        "recipient_count": 2,
        "words": "queued: 2 recipients, 912 bytes, from <alice@example.net>",
        "text": "4B5C61F00D: from=<alice@example.net>, size=912, nrcpt=2 (queue active)",
        "source": str(log),
        "line_number": 4,
    }
    assert trail["links"] == []


@pytest.mark.parametrize(
    "query",
    [
        "<1@example.net>",
        "1@example.net",
        "alice@example.net",
        "BOB@EXAMPLE.ORG",
        "@example.com",
        "192.0.2.25",
        "192.0.2.7",
    ],
)
def test_every_kind_of_query_finds_it(log: Path, query: str) -> None:
    assert [trail["queue_id"] for trail in trails(query, log)] == ["4B5C61F00D"]


def test_nothing_found_says_what_was_searched(log: Path) -> None:
    result = run("nobody@example.org", log)
    assert (result.exit_code, result.stdout) == (1, "")
    assert (
        f"nothing found for address or message-id nobody@example.org in 1 file, {len(LOG):,} bytes"
        in result.stderr
    )
    result = run("nobody@example.org", log, "--format", "json")
    assert (result.exit_code, json.loads(result.stdout)) == (1, [])


def test_a_query_that_means_nothing(log: Path) -> None:
    result = run("hello", log)
    assert isinstance(result.exception, UsageError)
    assert result.exception.exit_code == 2
    assert run("x", log, "--as", "colour").exit_code == 2
    assert run().exit_code == 2


def test_an_empty_span_is_refused(log: Path) -> None:
    result = run("4B5C61F00D", log, "--since", "2026-11-23", "--until", "2026-11-22T00:00")
    assert isinstance(result.exception, UsageError)


def test_a_missing_file_is_told_and_the_rest_goes_on(log: Path, tmp_path: Path) -> None:
    result = run("4B5C61F00D", log, tmp_path / "gone.log", "--tz", "Europe/Rome")
    assert (result.exit_code, result.stdout) == (1, TEXT)
    assert "gone.log: no such file" in result.stderr


def test_standard_input_can_be_searched(log: Path) -> None:
    result = run("4B5C61F00D", "-", "--tz", "Europe/Rome", input=LOG.encode())
    assert (result.exit_code, result.stdout) == (0, TEXT)


def test_more_than_the_limit_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text(
        "".join(LOG.replace("4B5C61F00D", f"4B5C61F{n:03}").replace("<1@", f"<{n}@") for n in range(5))
    )
    result = run("alice@example.net", path, "--limit", "2")
    assert result.stdout.count("4B5C61F") == 2
    assert "3 more match" in result.stderr


def test_connections_without_a_message_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text(LOG.splitlines(keepends=True)[0])
    result = run("192.0.2.7", path)
    assert result.exit_code == 1
    assert "1 matching lines tell of no message" in result.stderr


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("arguments", [[], ["--raw"]])
def test_nothing_that_a_log_holds_reaches_the_terminal(
    tmp_path: Path, form: str, arguments: list[str]
) -> None:
    path = tmp_path / "mail.log"
    path.write_bytes(
        LOG.encode()
        .replace(b"Greylisted", HOSTILE)
        .replace(b"delivered to mailbox", HOSTILE)
        .replace(b"alice@", b'"' + HOSTILE + b'"@')
        .replace(b"1@example.net", HOSTILE + b"@example.net")
        + b"2026-11-22T05:15:12Z mail odd" + HOSTILE + b"[1]: 4B5C61F00D: " + HOSTILE + b"\n"
    )  # fmt: skip
    result = run("4B5C61F00D", path, "--format", form, *arguments, color=True)
    assert result.exit_code == 0, result.output
    plain = "\n".join(safe(line) for line in result.stdout.split("\n"))
    styled = result.stdout.replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", "")
    for colour in (31, 32, 33):
        styled = styled.replace(f"\x1b[{colour}m", "")
    assert safe(styled.replace("\n", "")) == styled.replace("\n", "")
    assert "title" in plain


def process(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mailscope", "trace", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"COLUMNS": "80", "PYTHONPATH": os.pathsep.join(sys.path)},
        **more,
    )


def test_the_search_runs_in_a_process_of_its_own(log: Path) -> None:
    result = process("4B5C61F00D", str(log), "--tz", "Europe/Rome")
    assert (result.returncode, result.stdout, result.stderr) == (0, TEXT, "")
    result = process("4B5C61F00D", "-", "--tz", "Europe/Rome", input=LOG)
    assert (result.returncode, result.stdout, result.stderr) == (0, TEXT, "")


def test_what_the_other_process_raises_is_raised_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "THREADED", ())
    monkeypatch.setattr(beside.threading, "active_count", lambda: 1)
    result = beside.begin(lambda: os.getpid())
    assert result() != os.getpid()
    wait = beside.begin(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        wait()


def test_a_search_whose_process_was_killed_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "THREADED", ())
    monkeypatch.setattr(beside.threading, "active_count", lambda: 1)
    parent = os.getpid()

    def task() -> str:
        if os.getpid() != parent:
            os.kill(os.getpid(), 9)
        return "again"

    assert beside.begin(task)() == "again"


@pytest.mark.parametrize(
    ("lang", "told"),
    [("it", "uscito dalla coda"), ("sv", "lämnade kön"), ("zh", "离开队列"), ("en", "left the queue")],
)
def test_stories_are_told_in_every_language(lang: str, told: str) -> None:
    log = Path(__file__).parents[2] / "examples" / "postfix" / "mail.log.1"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mailscope",
            "trace",
            "root@lab.example",
            str(log),
            "--limit",
            "1",
            "--lang",
            lang,
        ],
        capture_output=True,
        env={**os.environ, "COLUMNS": "80", "TZ": "UTC", "PYTHONIOENCODING": "utf-8"},
        check=True,
    )
    shown = done.stdout.decode()
    assert told in shown
    assert max(map(columns, shown.splitlines())) <= 80


def test_a_message_id_that_too_many_lines_have_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "MOST_PER_MESSAGE_ID", 3)
    line = "Nov 22 03:45:11 mail postfix/cleanup[11]: 4B5C61F0{n:02}: message-id=<same@example.net>\n"
    (tmp_path / "mail.log").write_text("".join(line.format(n=number) for number in range(10)))
    result = run("--as", "queue-id", "4B5C61F001", tmp_path / "mail.log")
    assert "lines have the Message-ID <same@example.net>: the others are not followed" in result.stderr
