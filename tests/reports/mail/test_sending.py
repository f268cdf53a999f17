"""Handing the report over: a real SMTP server on loopback, a program in place of sendmail, and both saying no."""

from __future__ import annotations

import os
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

LOG = "Nov 20 10:00:00 mail postfix/smtpd[1]: fatal: open database /etc/aliases.db: No such file\n"
TO = ("--email-to", "postmaster@example.org")


class Sink:
    """A server that keeps what it is sent, and refuses what it is told to."""

    def __init__(self) -> None:
        self.kept: list[Envelope] = []
        self.users: list[str] = []
        self.refused: str | None = None
        self.answer = "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address == self.refused:
            return "550 5.1.1 no such user\x1b[2J"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            self.kept.append(envelope)
        return self.answer

    def login(self, server: SMTP, session: Session, envelope: Envelope, method: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and data == LoginPassword(b"reports", b"s3cret")
        self.users += ["reports"] if good else []
        return AuthResult(success=good, handled=False)


@pytest.fixture
def sink() -> Iterator[tuple[Sink, str]]:
    handler = Sink()
    controller = Controller(
        handler, hostname="127.0.0.1", port=free_port(), authenticator=handler.login, auth_require_tls=False
    )
    controller.start()
    yield handler, f"127.0.0.1:{controller.port}"
    controller.stop()


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Sink, str, Path]]:
    """A server with STARTTLS and a certificate that nobody knows, unless told to."""
    handler = Sink()
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    controller = Controller(
        handler, hostname="127.0.0.1", port=free_port(), tls_context=context, require_starttls=True,
        authenticator=handler.login,
    )  # fmt: skip
    controller.start()
    yield handler, f"localhost:{controller.port}", certificate
    controller.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def report(*args: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as people do, on a log of one line: what is tested is how a report is sent."""
    return subprocess.run(
        [sys.executable, "-m", "mailscope", "report", "-", *map(str, args)],
        input=LOG,
        capture_output=True,
        env={**os.environ, "TZ": "UTC", **environment},
        text=True,
        check=False,
    )


def failed(done: subprocess.CompletedProcess[str], code: int, *told: str) -> None:
    """One line that says what went wrong."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.rstrip("\n").isprintable()
    for text in told:
        assert text in done.stderr


def test_smtp_takes_the_report(sink: tuple[Sink, str]) -> None:
    handler, server = sink
    sender = ("--email-from", "reports@example.org")
    done = report(*TO, "--email-to", "b@example.net", *sender, "--smtp", server, "--smtp-tls", "none")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (envelope,) = handler.kept
    assert envelope.mail_from == "reports@example.org"
    assert envelope.rcpt_tos == ["postmaster@example.org", "b@example.net"]
    assert isinstance(envelope.content, bytes)
    mail = message_from_bytes(envelope.content, policy=default)
    assert "error in the configuration" in mail["Subject"]
    assert [part.get_content_type() for part in mail.walk()][:2] == ["multipart/alternative", "text/plain"]


def test_smtp_logs_in_with_a_password_that_no_command_line_shows(
    sink: tuple[Sink, str], tmp_path: Path
) -> None:
    handler, server = sink
    options = (*TO, "--smtp", server, "--smtp-tls", "none", "--smtp-user", "reports")
    assert report(*options, MAILSCOPE_SMTP_PASSWORD="s3cret").returncode == 0
    file = tmp_path / "password"
    file.write_text("s3cret\n")
    assert report(*options, "--smtp-password-file", file).returncode == 0
    assert handler.users == ["reports", "reports"]
    failed(report(*options, MAILSCOPE_SMTP_PASSWORD="wrong"), 1, server, "the login was refused: 535")
    failed(report(*options), 2, "there is no password")
    file.write_text("")
    failed(report(*options, "--smtp-password-file", file), 1, "it is empty")
    failed(report(*options, "--smtp-password-file", tmp_path / "none"), 1, "no such file")


def test_starttls_checks_the_certificate(secure: tuple[Sink, str, Path]) -> None:
    handler, server, certificate = secure
    failed(report(*TO, "--smtp", server), 1, server, "no secure connection", "self-signed")
    assert handler.kept == []
    login = ("--smtp-user", "reports")
    done = report(
        *TO, "--smtp", server, *login, MAILSCOPE_SMTP_PASSWORD="s3cret", SSL_CERT_FILE=str(certificate)
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(handler.kept) == 1


def test_server_without_starttls_is_refused(sink: tuple[Sink, str]) -> None:
    failed(report(*TO, "--smtp", sink[1]), 1, "STARTTLS", "see --smtp-tls")
    assert sink[0].kept == []


def test_recipient_that_is_refused_is_named(sink: tuple[Sink, str]) -> None:
    handler, server = sink
    handler.refused = "gone@example.org"
    options = ("--smtp", server, "--smtp-tls", "none")
    failed(report("--email-to", "gone@example.org", *options), 1, "refused for gone@example.org (550 5.1.1")
    failed(
        report(*TO, "--email-to", "gone@example.org", *options), 1, "gone@example.org", "the others were sent"
    )
    assert [envelope.rcpt_tos for envelope in handler.kept] == [["postmaster@example.org"]]


@pytest.mark.parametrize("answer", ["554 5.7.1 go away", "451 4.3.0 try later"])
def test_refused_message_is_told(answer: str, sink: tuple[Sink, str]) -> None:
    handler, server = sink
    handler.answer = answer
    failed(report(*TO, "--smtp", server, "--smtp-tls", "none"), 1, answer)


def test_no_server_there() -> None:
    server = f"127.0.0.1:{free_port()}"
    failed(report(*TO, "--smtp", server, "--smtp-tls", "none"), 1, server, "Connection refused")
    failed(report(*TO, "--smtp", "no-such-host.invalid", "--smtp-tls", "none"), 1, "no-such-host.invalid:25")


def test_server_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from email.message import EmailMessage

    from mailscope.reports.mail import sending
    from mailscope.vocabulary.errors import MailscopeError

    monkeypatch.setattr(sending, "TIMEOUT_S", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        server = sending.Smtp("127.0.0.1", silent.getsockname()[1], "none")
        with pytest.raises(MailscopeError, match="it was silent for too long"):
            server.send(EmailMessage())


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program in place of sendmail, which keeps its arguments and its input."""
    path = tmp_path / "sendmail"
    path.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\ncat > {tmp_path}/mail\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_sendmail_takes_the_report(program: Path, tmp_path: Path) -> None:
    done = report(*TO, "--sendmail", program, "--lang", "it", "-o", tmp_path / "report.html")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "arguments").read_text() == "-t -i\n"
    mail = message_from_bytes((tmp_path / "mail").read_bytes(), policy=default)
    assert mail["To"] == "postmaster@example.org"
    assert "errore di configurazione" in mail["Subject"]
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")


def test_sendmail_that_fails_is_told(program: Path, tmp_path: Path) -> None:
    program.write_text("#!/bin/sh\necho 'fatal: queue is full' >&2\nexit 75\n")
    failed(report(*TO, "--sendmail", program), 1, str(program), "exit code 75: fatal: queue is full")
    failed(report(*TO, "--sendmail", tmp_path / "none"), 1, "there is no such program", "--smtp")
    program.chmod(0o600)
    failed(report(*TO, "--sendmail", tmp_path), 1, "ermission denied")


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--email-to", "nobody"), "'nobody' is no address"),
        (("--smtp", "mail.example.org"), "it needs --email-to"),
        ((*TO, "--smtp-tls", "tls"), "it needs --smtp"),
        ((*TO, "--smtp", "a.example.org", "--sendmail", "/bin/true"), "--sendmail"),
        ((*TO, "--smtp", "a.example.org:smtp"), "is no HOST:PORT"),
        ((*TO, "--smtp", "a.example.org:70000"), "is no HOST:PORT"),
        ((*TO, "--smtp", "a.example.org", "--smtp-tls", "none", "--smtp-user", "x"), "in the clear"),
        ((*TO, "--format", "json"), "--format"),
        ((*TO, "--evidence", "errors"), "--evidence"),
    ],
)
def test_options_that_do_not_go_together(args: tuple[str, ...], told: str) -> None:
    failed(report(*args), 2, told)


def test_ports_and_addresses_of_servers() -> None:
    from mailscope.cli.mailing import _smtp

    assert repr(_smtp("mail.example.org", None, None, "starttls")) == "Smtp(mail.example.org:587, starttls)"
    assert repr(_smtp("mail.example.org:2525", None, None, "tls")) == "Smtp(mail.example.org:2525, tls)"
    assert repr(_smtp("2001:db8::25", None, None, "tls")) == "Smtp(2001:db8::25:465, tls)"
    assert repr(_smtp("[2001:db8::25]", None, None, "none")) == "Smtp(2001:db8::25:25, none)"
    assert repr(_smtp("[2001:db8::25]:26", None, None, "none")) == "Smtp(2001:db8::25:26, none)"
