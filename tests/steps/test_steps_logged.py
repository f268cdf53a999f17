"""The way of a message from its log, and the command over logs and traces."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tracing import told
from ways import FF, LOCAL, brief

from mailscope.cli.main import mailscope
from mailscope.steps.logged import way_of

LOG = """\
2026-11-22T03:45:10.000000+00:00 mail postfix/smtpd[10]: connect from mx.example.net[192.0.2.7]
2026-11-22T03:45:10.500000+00:00 mail postfix/smtpd[10]: 4B5C61F00D: client=mx.example.net[192.0.2.7]
2026-11-22T03:45:10.600000+00:00 mail postfix/cleanup[11]: 4B5C61F00D: message-id=<1@example.net>
2026-11-22T03:45:10.700000+00:00 mail postfix/qmgr[12]: 4B5C61F00D: from=<alice@example.net>, size=912, nrcpt=2 (queue active)
2026-11-22T03:45:11.000000+00:00 mail postfix/local[13]: 4B5C61F00D: to=<bob@example.org>, relay=local, \
delay=0.5, delays=0.2/0/0/0.1, dsn=2.0.0, status=sent (delivered to mailbox)
2026-11-22T03:45:12.250000+00:00 mail postfix/smtp[14]: 4B5C61F00D: to=<carol@example.com>, \
relay=mx.example.com[192.0.2.25]:25, delay=1.7, delays=0.2/0/1/0.25, dsn=4.2.0, status=deferred \
(host mx.example.com[192.0.2.25] said: 450 4.2.0 Greylisted (in reply to RCPT TO command))
2026-11-22T05:15:12.250000+00:00 mail postfix/smtp[15]: 4B5C61F00D: to=<carol@example.com>, \
relay=mx.example.com[192.0.2.25]:25, delay=5401, delays=5400/0/1/0.5, dsn=2.0.0, status=sent (250 2.0.0 Ok)
2026-11-22T05:15:12.300000+00:00 mail postfix/qmgr[12]: 4B5C61F00D: removed
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    place = tmp_path / "mail.log"
    place.write_text(LOG, encoding="utf-8")
    return place


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(mailscope, ["steps", *map(str, words)], catch_exceptions=False)


def test_from_the_client_to_the_next_hop(log: Path) -> None:
    (story,) = told("4B5C61F00D", log).stories
    way = way_of(story)
    assert [brief(act) for act in way.acts if act.kind != "connected"] == [
        "mx.example.net > smtpd: taken in from mx.example.net [192.0.2.7]",
        "smtpd > cleanup: Message-ID <1@example.net>",
        "cleanup > qmgr: queued: 2 recipients, 912 bytes, from <alice@example.net>",
        "qmgr > local: hands the message out for delivery",
        "local: delivered to <bob@example.org> by local: delivered to mailbox",
        "qmgr > smtp: hands the message out for delivery",
        "smtp > mx.example.com: put off for <carol@example.com> by mx.example.com [192.0.2.25]: host "
        "mx.example.com[192.0.2.25] said: 450 4.2.0 Greylisted (in reply to RCPT TO command); it will be tried "
        "again",
        "qmgr > smtp: hands the message out for delivery",
        "smtp > mx.example.com: delivered to <carol@example.com> via mx.example.com [192.0.2.25]: 250 2.0.0 Ok",
        "qmgr: left the queue",
    ]
    assert [(stay.queue, stay.seconds) for stay in way.stays] == [
        ("incoming", pytest.approx(0.2)), ("active", pytest.approx(1.55)), ("deferred", pytest.approx(5400.05)),
    ]  # fmt: skip
    begun = next(act for act in way.acts if act.kind == "delivery_started")
    assert begun.time == pytest.approx(1795319110.9)
    assert (
        "carol@example.com: 0.2 s before the queue, 0 s in it, 1 s connecting, 0.25 s transmitting"
        in way.notes
    )


def test_coarse_stamps_put_nothing_out_of_order(tmp_path: Path) -> None:
    place = tmp_path / "mail.log"
    place.write_text(LOG.replace(".700000", ".000000").replace(".000000", "").replace(".600000", ""))
    (story,) = told("4B5C61F00D", place).stories
    way = way_of(story)
    queued = next(act.time for act in way.acts if act.kind == "queued")
    starts = [act.time for act in way.acts if act.kind == "delivery_started"]
    assert queued is not None
    assert all(start is not None and start >= queued for start in starts)


def test_a_qmail_log(tmp_path: Path) -> None:
    place = tmp_path / "qmail.log"
    place.write_text(
        "1018966965.100348 new msg 214283\n"
        "1018966965.110348 info msg 214283: bytes 991 from <alice@example.org> qp 27640 uid 501\n"
        "1018966965.200348 starting delivery 1: msg 214283 to remote bob@example.net\n"
        "1018966966.200348 delivery 1: success: 192.0.2.9_accepted_message./\n"
        "1018966966.300348 end msg 214283\n"
    )
    (story,) = told("214283", place).stories
    way = way_of(story)
    assert [stay.queue for stay in way.stays] == ["queue"]
    assert way.stays[0].seconds == pytest.approx(1.2)
    assert way.queue_ids == ["214283"]


def test_the_command_over_a_log(log: Path, tmp_path: Path) -> None:
    shown = run("4B5C61F00D", log, "--tz", "UTC")
    assert shown.exit_code == 0
    assert "  03:45:10.700 " in shown.stdout
    picture = tmp_path / "way.svg"
    assert run("alice@example.net", log, "-o", picture).exit_code == 0
    assert picture.read_text(encoding="utf-8").startswith("<svg ")
    data = json.loads(run("4B5C61F00D", log, "--format", "json").stdout)
    assert data["ways"][0]["queue_ids"] == ["4B5C61F00D"]
    missing = run("FFFFF00000", log)
    assert missing.exit_code == 1
    assert "nothing found" in missing.stderr


def test_the_command_over_traces(tmp_path: Path) -> None:
    shown = run("strace", *FF, "--message", LOCAL, "--processes", "--tz", "UTC")
    assert shown.exit_code == 0
    assert "qmgr[3627]" in shown.stdout
    assert "processes" in shown.stdout
    assert "4jXGQm322GzCb6R" not in shown.stdout
    data = json.loads(run("strace", *FF, "--format", "json", "--limit", "2").stdout)
    assert len(data["ways"]) == 2
    wrong = CliRunner().invoke(mailscope, ["steps", "strace", str(FF[0]), "--message", "nope"])
    assert "there is no message nope in it" in str(wrong.exception)


def test_damage_is_said(tmp_path: Path) -> None:
    place = tmp_path / "trace"
    place.write_text("rubbish\n" + (FF[-2]).read_text(encoding="utf-8"), encoding="utf-8")
    shown = run("strace", place)
    assert "1 of " in shown.stderr
    assert "line 1)" in shown.stderr


def test_what_cannot_be_read_is_said_and_the_rest_is_told(tmp_path: Path) -> None:
    shown = run("strace", *FF, tmp_path / "missing")
    assert shown.exit_code == 1
    assert "no such file" in shown.stderr
    assert LOCAL in shown.stdout
