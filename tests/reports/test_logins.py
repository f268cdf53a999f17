"""Logins: each failure once, whoever tells of it; the page, its sums, the lines behind its numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hostile import PAPER
from replaying import Replay, replay
from running import UTC_ZONE

from mailscope.language.translator import TELL_ENGLISH, translator
from mailscope.reports.evidence import lines, parse
from mailscope.reports.forms import FORMS
from mailscope.reports.logins import NAMES, page, sums

IMAP = "Nov 22 03:50:02 mx1 dovecot: imap-login: "
DOVECOT = [
    "Nov 22 03:50:00 mx1 dovecot: auth: passwd-file(alice,192.0.2.66,<MhxzNVgOtN>): Password mismatch",
    "Nov 22 03:50:01 mx1 dovecot: auth: passwd-file(alice,192.0.2.66,<MhxzNVgOtN>): Password mismatch",
    IMAP + "Disconnected: Connection closed (auth failed, 2 attempts in 2 secs): user=<alice>, method=PLAIN, "
    "rip=192.0.2.66, lip=192.0.2.25, TLS, session=<MhxzNVgOtN>",
]
DOVECOT_PAM = [
    "Nov 22 03:50:00 mx1 auth: pam_unix(dovecot:auth): authentication failure; logname= uid=0 euid=0 tty=dovecot "
    "ruser=alice rhost=192.0.2.66  user=alice",
    DOVECOT[2],
]
SMTP_DOVECOT = [
    "Nov 22 03:51:01 mx1 dovecot: auth: passwd-file(bob,192.0.2.67): unknown user",
    "Nov 22 03:51:01 mx1 postfix/smtpd[10]: warning: unknown[192.0.2.67]: SASL LOGIN authentication failed: UGFzc3dvcmQ6",
]
SMTP_SASLAUTHD = [
    "Nov 22 03:53:01 mx1 saslauthd[11]: pam_unix(smtp:auth): authentication failure; logname= uid=0 euid=0 tty= ruser= "
    "rhost=  user=carol",
    "Nov 22 03:53:01 mx1 saslauthd[11]: do_auth         : auth failure: [user=carol] [service=smtp] [realm=] [mech=pam] "
    "[reason=PAM auth error]",
    "Nov 22 03:53:01 mx1 postfix/smtpd[10]: warning: SASL authentication failure: Password verification failed",
    "Nov 22 03:53:01 mx1 postfix/smtpd[10]: warning: unknown[192.0.2.68]: SASL PLAIN authentication failed: "
    "authentication failure, sasl_username=carol",
]
COURIER = [
    "Nov 22 03:54:01 mx1 authdaemond: pam_unix(imap:auth): authentication failure; logname= uid=0 euid=0 tty= ruser= "
    "rhost=::ffff:198.51.100.4  user=dave",
    "Nov 22 03:54:02 mx1 imapd: LOGIN FAILED, user=dave, ip=[::ffff:198.51.100.4], port=[34068]",
]
SUCCEEDED = [
    IMAP + "Login: user=<alice>, method=PLAIN, rip=192.0.2.66, lip=192.0.2.25, mpid=1, TLS, session=<a>",
    IMAP + "Login: user=<erin>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.25, mpid=2, TLS, session=<b>",
    IMAP + "Login: user=<erin>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.25, mpid=3, TLS, session=<c>",
]
SUBMITTED = [
    "Nov 22 03:56:00 mx1 postfix/submission/smtpd[20]: 4B5C61F00D: client=pc.example.org[192.0.2.1], "
    "sasl_method=PLAIN, sasl_username=erin"
]


def read(folder: Path, *logs: list[str]) -> Replay:
    path = folder / "mail.log"
    path.write_text("".join(line + "\n" for log in logs for line in log))
    return replay(path)


def made(ran: Replay) -> dict[str, Any]:
    return page(ran.report(), ran.ledger, (), ())


@pytest.mark.parametrize(
    "log", [DOVECOT, DOVECOT_PAM, SMTP_DOVECOT, SMTP_SASLAUTHD, COURIER], ids=lambda log: log[-1][24:50]
)
def test_two_programs_one_failure(tmp_path: Path, log: list[str]) -> None:
    found = sums(read(tmp_path, log).ledger)
    assert (found["failed"], found["failed_alone"]) == (1, 0)


@pytest.mark.parametrize(
    ("log", "wanted"), [(DOVECOT[:2], 2), (SMTP_DOVECOT[:1], 1), (SMTP_SASLAUTHD[:2], 1)], ids=str
)
def test_nothing_is_lost_where_the_servers_line_is_elsewhere(
    tmp_path: Path, log: list[str], wanted: int
) -> None:
    ran = read(tmp_path, log, SUCCEEDED)
    assert (sums(ran.ledger)["failed"], sums(ran.ledger)["failed_alone"]) == (0, wanted)
    opening = parse("auth_verdicts:alone", ran.ledger, "UTC")
    behind = list(lines(ran.pipeline, opening, ran.ledger, "UTC"))
    assert behind == log[-wanted:]


def test_all_together(tmp_path: Path) -> None:
    elsewhere = ["Nov 22 03:57:00 mx1 dovecot: auth: sql(frank,192.0.2.99): Password mismatch"]
    ran = read(tmp_path, DOVECOT, SMTP_DOVECOT, SMTP_SASLAUTHD, COURIER, SUCCEEDED, SUBMITTED, elsewhere)
    report = made(ran)
    assert report["sums"] == {
        "succeeded": 3,
        "failed": 4,
        "failed_alone": 1,
        "submissions": 1,
        "users": 2,
        "users_refused": 3,
        "clients_refused": 4,
    }
    assert report["logins"]["totals"] == {"succeeded": 3, "failed": 4}
    rows = [{**row, "row": 0} for row in report["logins_by_user"]["rows"]]
    assert rows == [
        {"row": 0, "user": "erin", "service": "imap-login", "client": "192.0.2.1", "succeeded": 2},
        {"row": 0, "user": "alice", "service": "imap-login", "client": "192.0.2.66", "succeeded": 1},
    ]
    assert [
        (row["client"], row["failed"], row["succeeded"]) for row in report["logins_after_failures"]["rows"]
    ] == [("192.0.2.66", 1, 1)]
    named = {(row["client"], row["user"]): row["alone"] for row in report["auth_verdicts"]["rows"]}
    # The name that smtpd does not tell.
    assert named == {
        ("192.0.2.66", "alice"): 0,
        ("192.0.2.67", "bob"): 0,
        (None, "carol"): 0,
        ("192.0.2.99", "frank"): 1,
    }


def test_the_hosts_own_programs(tmp_path: Path) -> None:
    pam = "authentication failure; logname=alice uid=1000 euid=0 tty=x ruser=alice rhost="
    log = [
        f"Nov 22 03:50:01 mx1 sshd[1]: pam_unix(sshd:auth): {pam}192.0.2.66  user=root",
        "Nov 22 03:50:03 mx1 sshd[1]: Failed password for root from 192.0.2.66 port 50273 ssh2",
        f"Nov 22 03:51:00 mx1 sudo: pam_unix(sudo:auth): {pam}  user=alice",
        "Nov 22 03:51:10 mx1 sudo:    alice : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
        "Nov 22 03:52:10 mx1 sudo:    alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
        f"Nov 22 03:53:00 mx1 su[3]: pam_unix(su:auth): {pam}  user=root",
        "Nov 22 03:53:01 mx1 su[3]: FAILED SU (to root) alice on pts/0",
    ]
    report = made(read(tmp_path, log))
    failed = {row["service"]: row["failed"] for row in report["logins"]["rows"]}
    assert failed == {"sshd": 1, "sudo": 1, "su": 1}
    assert report["acting_as"]["rows"] == [
        {"row": 1, "user": "alice", "target_user": "root", "service": "sudo", "times": 1}
    ]


def test_the_mail_report_stays_as_it_is(tmp_path: Path) -> None:
    from mailscope.reports.report import choice

    report = choice(read(tmp_path, DOVECOT, SUCCEEDED).report(), (), ())
    assert "logins" in report
    assert "logins_by_user" not in report
    assert set(made(read(tmp_path, DOVECOT))) >= set(NAMES)


@pytest.mark.parametrize("language", ["en", "zh", "it", "sv"])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_every_form_shows_the_page(tmp_path: Path, form: Any, language: str) -> None:
    hostile = [SUCCEEDED[0].replace("alice", "\x1b[31m=1+1<b>")]
    report = made(read(tmp_path, DOVECOT, SUCCEEDED, hostile))
    tr = translator(language)
    written = form.written(report, tr, PAPER)
    if form.binary:
        assert written.startswith(b"PK")
        return
    text = written.decode()
    assert "\x1b" not in text
    assert "erin" in text
    if form.name in ("text", "markdown", "html"):
        assert tr("Report of logins") in text
        assert "<b>" not in text or form.name == "text"
    if form.name == "text":
        assert all(PAPER.columns(line) <= PAPER.width for line in text.splitlines())


def test_a_log_without_logins(tmp_path: Path) -> None:
    report = made(read(tmp_path, SUBMITTED))
    assert report["sums"]["succeeded"] == report["sums"]["failed"] == 0
    assert b"Logins" in FORMS[0].written(report, TELL_ENGLISH, PAPER)
    assert UTC_ZONE.key == report["zone"]
