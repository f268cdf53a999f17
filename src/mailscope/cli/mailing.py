"""The options that send a report by mail."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click

from mailscope.vocabulary.errors import InputError, UsageError

if TYPE_CHECKING:
    from mailscope.language.translator import Translator
    from mailscope.reports.layout import Paper
    from mailscope.reports.mail.sending import Sendmail, Smtp, Tls

PASSWORD: Final = "MAILSCOPE_SMTP_PASSWORD"
HIGHEST_PORT: Final = 65_535
Command = TypeVar("Command", bound=Callable[..., Any])
OPTIONS: Final = (
    click.option("--email-to", multiple=True, metavar="ADDRESS", help="Mail the report to (repeatable)."),
    click.option(
        "--email-from", metavar="ADDRESS", help="Sender of the mail; mailscope@ this host otherwise."
    ),
    click.option("--smtp", metavar="HOST[:PORT]", help="Send through this server, not the local sendmail."),
    click.option("--smtp-user", metavar="NAME", help=f"Log in; the password is in {PASSWORD} or a file."),
    click.option(
        "--smtp-password-file", type=click.Path(path_type=Path), metavar="FILE", help="Holds the password."
    ),
    click.option(
        "--smtp-tls", type=click.Choice(["starttls", "tls", "none"]), help="How to secure it (starttls)."
    ),
    click.option(
        "--sendmail", type=click.Path(path_type=Path), metavar="PROGRAM", help="/usr/sbin/sendmail otherwise."
    ),
    # The daemon's: nothing is sent where this file is, and it is written once the mail was taken.
    click.option("--sent-record", type=click.Path(path_type=Path), hidden=True),
)


@dataclass(frozen=True)
class Mailing:
    """To whom the report goes, from whom, and by which way."""

    recipients: tuple[str, ...]
    sender: str
    way: Sendmail | Smtp
    host: str
    # Where it is written down that the report was sent, once.
    record: Path | None = None

    def send(self, found: dict[str, Any], tr: Translator, paper: Paper) -> None:
        """Send the report.  Raises MailscopeError where it was not taken."""
        from mailscope.reports.mail.message import letter

        message_id = None
        if self.record is not None:
            message_id = f"<mailscope.{self.record.stem}@{self.host}>"
        message = letter(found, tr, paper, self.sender, self.recipients, self.host, message_id)
        # A server or program that breaks off is an error to be told, not a reader that has seen enough.
        before = signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        try:
            if self.record is None:
                self.way.send(message)
            else:
                from mailscope.reports.mail.once import send_once

                send_once(self.record, message, self.way.send)
        finally:
            signal.signal(signal.SIGPIPE, before)


def mailing(command: Command) -> Command:
    """Add the options; the command gets one ``mailing`` argument, None where no mail is wanted."""

    def wrapped(
        email_to: tuple[str, ...],
        email_from: str | None,
        smtp: str | None,
        smtp_user: str | None,
        smtp_password_file: Path | None,
        smtp_tls: Tls | None,
        sendmail: Path | None,
        sent_record: Path | None,
        **others: Any,
    ) -> Any:
        asked = {
            "--email-from": email_from, "--smtp": smtp, "--sendmail": sendmail, "--sent-record": sent_record
        }  # fmt: skip
        of_smtp = {
            "--smtp-user": smtp_user,
            "--smtp-password-file": smtp_password_file,
            "--smtp-tls": smtp_tls,
        }
        _need(not email_to, asked | of_smtp, "--email-to")
        _need(smtp is None, of_smtp, "--smtp")
        _need(smtp is not None, {"--sendmail": sendmail}, "no --smtp")
        found = None
        if email_to:
            from mailscope.reports.mail.message import address
            from mailscope.reports.mail.sending import SENDMAIL, Sendmail

            host = socket.getfqdn()
            found = Mailing(
                tuple(address(each, "--email-to") for each in email_to),
                address(email_from, "--email-from") if email_from else f"mailscope@{host}",
                Sendmail(sendmail or SENDMAIL)
                if smtp is None
                else _smtp(smtp, smtp_user, smtp_password_file, smtp_tls or "starttls"),
                host,
                sent_record,
            )
        return command(mailing=found, **others)

    wrapped.__doc__, wrapped.__name__ = command.__doc__, command.__name__
    wrapped.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    for option in reversed(OPTIONS):
        wrapped = option(wrapped)
    return cast(Command, wrapped)


def _need(missing: bool, options: dict[str, Any], needed: str) -> None:
    """Refuse options that mean nothing without another."""
    for name, value in options.items():
        if missing and value is not None:
            raise UsageError(
                f"it needs {needed}", name, f"give {needed}" if needed[0] == "-" else "leave one out"
            )


def _smtp(server: str, user: str | None, password_file: Path | None, tls: Tls) -> Smtp:
    """The server that was named.  Raises UsageError or InputError where it cannot be used as told."""
    from mailscope.reports.mail.sending import LOOPBACK, PORTS, Smtp

    host, colon, number = server.rpartition(":")
    if not colon or "]" in number or (":" in host and not host.startswith("[")):
        # No port: a name, or an IPv6 address.
        host, number = server, str(PORTS[tls])
    host = host.strip("[]")
    if not host or not number.isdecimal() or not 0 < int(number) <= HIGHEST_PORT:
        raise UsageError(f"'{server}' is no HOST:PORT", "--smtp", "such as mail.example.org:587")
    if user is None:
        return Smtp(host, int(number), tls)
    if tls == "none" and host not in LOOPBACK:
        raise UsageError("the password would travel in the clear", "--smtp-tls", "use starttls or tls")
    return Smtp(host, int(number), tls, user, _password(password_file))


def _password(file: Path | None) -> str:
    """The password, from a file's first line or the environment: anyone can see a command line."""
    if file is None:
        if PASSWORD not in os.environ:
            raise UsageError("there is no password", "--smtp-user", f"set {PASSWORD} or --smtp-password-file")
        return os.environ[PASSWORD]
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError.from_os_error(error, file) from error
    except UnicodeDecodeError as error:
        raise InputError("it is not UTF-8", str(file), "write the password into its first line") from error
    if not lines or not lines[0]:
        raise InputError("it is empty", str(file), "write the password into its first line")
    return lines[0]
