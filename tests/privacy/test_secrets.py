"""Passwords of logs that programs write when they are asked to be talkative."""

from __future__ import annotations

import polars as pl
import pytest

from mailscope.privacy.pseudonyms import Pseudonyms
from mailscope.privacy.secrets import masked

SESSION = Pseudonyms(b"k" * 32).session
SECRET = "s3cr3t-pa55"
CODED = "AGFsaWNlAHMzY3IzdC1wYTU1"


def clean(line: str) -> str:
    return masked(pl.Series([line]), SESSION)[0]


@pytest.mark.parametrize(
    "line",
    [
        # Postfix smtpd -v, smtp -v
        f"postfix/smtpd[1]: < unknown[192.0.2.1]: AUTH PLAIN {CODED}",
        f"postfix/smtpd[1]: < unknown[192.0.2.1]: auth plain {CODED}",
        f"postfix/smtpd[1]: < unknown[192.0.2.1]: {CODED}",
        f"postfix/smtpd[1]: xsasl_cyrus_server_first: sasl_method PLAIN, init_response {CODED}",
        f"postfix/smtpd[1]: xsasl_cyrus_server_first: decoded initial response alice {SECRET}",
        f"postfix/smtp[1]: smtp_sasl_passwd_lookup: host `mx.example.org' user `alice' pass `{SECRET}'",
        # Dovecot
        f"dovecot: auth: Debug: sql(alice,192.0.2.1): Password mismatch (given password: {SECRET})",
        f"dovecot: auth: Debug: client in: AUTH\t1\tPLAIN\tservice=imap\tsession=x\tresp={CODED}",
        f"dovecot: auth: Debug: client passdb out: OK\t1\tuser=alice\tpass={SECRET}",
        f"dovecot: auth: Debug: sql(alice): PLAIN({SECRET}) != '{SECRET}'",
        # Courier, vpopmail
        f"authdaemond: supplied password '{SECRET}' does not match clearpasswd '{SECRET}'",
        f"authdaemond: Authenticated: homedir=/x, clearpasswd={SECRET}, passwd={SECRET}",
        f"vpopmail[1]: vchkpw-pop3: password fail (pass: '{SECRET}') alice@example.org:192.0.2.1",
        # Command lines, URLs, HTTP
        f"sudo: alice : TTY=x ; PWD=/ ; USER=root ; COMMAND=/usr/bin/mysql -u root -p{SECRET}",
        f"sudo: alice : COMMAND=/usr/bin/tool --password {SECRET} --other",
        f"sudo: alice : COMMAND=/usr/bin/sshpass -p {SECRET} ssh host",
        f"CROND[1]: (root) CMD (curl -u alice:{SECRET} https://example.org/)",
        f"x: fetching https://alice:{SECRET}@example.org/path",
        f"x: Authorization: Basic {CODED}",
        f"x: connect host=db password='{SECRET} with blanks' user=x",
        f'x: {{"user": "alice", "password": "{SECRET}"}}',
    ],
)
def test_no_secret_is_left(line: str) -> None:
    new = clean(line)
    assert SECRET not in new
    assert CODED not in new
    assert "***" in new


@pytest.mark.parametrize(
    "line",
    [
        "postfix/smtpd[1]: < unknown[192.0.2.1]: QUIT",
        "postfix/smtpd[1]: > unknown[192.0.2.1]: 334",
        "postfix/smtpd[1]: warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: UGFzc3dvcmQ6",
        "postfix/smtpd[1]: lost connection after AUTH from unknown[192.0.2.1]",
        "sshd[1]: Failed password for invalid user bob from 192.0.2.4 port 22 ssh2",
        "sudo: alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/bin/ls -p x",
        "dovecot: auth: sql(alice,192.0.2.1): Password mismatch",
        "postfix/smtpd[1]: AUTH PLAIN authentication is not available here",
        "vchkpw-pop3: password fail alice@example.org:192.0.2.1",
    ],
)
def test_words_without_a_secret_stay(line: str) -> None:
    assert clean(line) == line


def test_session_ids_are_hashed_and_still_join() -> None:
    login = clean("dovecot: imap-login: Login: user=<a>, lip=127.0.0.1, TLS, session=<2Adx79VgKt9>")
    later = clean("dovecot: imap(a)<11506><2Adx79VgKt9>: Disconnected: Logged out in=152 out=1191")
    assert "2Adx79VgKt9" not in login + later
    hashed = login.partition("session=<")[2].partition(">")[0]
    assert f"<11506><{hashed}>" in later
