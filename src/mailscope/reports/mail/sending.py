"""Handing a message to the local sendmail program, or to an SMTP server.

Raises MailscopeError, in one line, where it was not taken: the program is missing or failed, the connection
was refused, the server said no.  A message that a server took for some recipients only is an error too, which
names the others.

Sources: sendmail(1) of Postfix (``-t``: recipients from the headers, ``-i``: a line with a dot is text); RFC
5321; RFC 3207 (STARTTLS); RFC 8314 (TLS from the start, port 465).
"""

from __future__ import annotations

import smtplib
import ssl
import subprocess
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Final, Literal

from mailscope.vocabulary.errors import MailscopeError

SENDMAIL: Final = Path("/usr/sbin/sendmail")
TIMEOUT_S: Final = 60.0
SILENT: Final = ("it was silent for too long", "check --smtp, or try again later")
Tls = Literal["starttls", "tls", "none"]
PORTS: Final[dict[Tls, int]] = {"starttls": 587, "tls": 465, "none": 25}
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class PartlyRefusedError(MailscopeError):
    """A message was taken for some of its recipients only."""


@dataclass(frozen=True)
class Sendmail:
    """The local sendmail program."""

    program: Path = SENDMAIL

    def send(self, message: EmailMessage) -> None:
        """Hand the message over."""
        command = [str(self.program), "-t", "-i"]
        try:
            done = subprocess.run(
                command, input=message.as_bytes(), capture_output=True, timeout=TIMEOUT_S, check=False
            )
        except FileNotFoundError as error:
            raise self._failed(
                "there is no such program", "name it with --sendmail, or use --smtp"
            ) from error
        except subprocess.TimeoutExpired as error:
            raise self._failed(f"it did not end within {TIMEOUT_S:.0f} s", "see the mail log") from error
        except OSError as error:
            raise self._failed(error.strerror or str(error), "name another one with --sendmail") from error
        if done.returncode:
            said = (
                done.stderr.decode(errors="replace").strip() or done.stdout.decode(errors="replace").strip()
            )
            what = f"it failed with exit code {done.returncode}"
            raise self._failed(f"{what}: {said}" if said else what, "see the mail log")

    def _failed(self, what: str, what_to_do: str) -> MailscopeError:
        return MailscopeError(what, str(self.program), what_to_do)


@dataclass(frozen=True)
class Smtp:
    """An SMTP server; ``password`` stays out of what is shown of this object."""

    host: str
    port: int
    tls: Tls
    user: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"Smtp({self.host}:{self.port}, {self.tls})"

    def send(self, message: EmailMessage) -> None:
        """Hand the message over."""
        try:
            refused = self._sent(message)
        except smtplib.SMTPAuthenticationError as error:
            raise self._failed(
                f"the login was refused: {_reply(error)}", "check user and password"
            ) from error
        except smtplib.SMTPRecipientsRefused as error:
            raise self._failed(_refused(error.recipients), "check --email-to") from error
        except smtplib.SMTPSenderRefused as error:
            raise self._failed(
                f"the sender {error.sender} was refused: {_reply(error)}", "check --email-from"
            ) from error
        except smtplib.SMTPResponseException as error:
            raise self._failed(f"the server refused: {_reply(error)}", "see the server's log") from error
        except smtplib.SMTPNotSupportedError as error:
            raise self._failed(str(error), "see --smtp-tls and --smtp-user") from error
        except smtplib.SMTPServerDisconnected as error:
            if isinstance(error.__context__, TimeoutError):
                raise self._failed(*SILENT) from error
            raise self._failed(f"the server broke off: {error}", "see the server's log") from error
        except ssl.SSLError as error:
            what = getattr(error, "verify_message", "") or error.reason or str(error)
            raise self._failed(f"no secure connection: {what}", "see --smtp-tls") from error
        except TimeoutError as error:
            raise self._failed(*SILENT) from error
        except (OSError, smtplib.SMTPException) as error:
            what = getattr(error, "strerror", None) or str(error)
            raise self._failed(f"no connection: {what}", "check --smtp") from error
        if refused:
            raise PartlyRefusedError(
                _refused(refused), f"{self.host}:{self.port}", "the others were sent theirs"
            )

    def _sent(self, message: EmailMessage) -> dict[str, tuple[int, bytes]]:
        context = ssl.create_default_context()
        with (
            smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_S, context=context)
            if self.tls == "tls"
            else smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S)
        ) as server:
            if self.tls == "starttls":
                server.starttls(context=context)
            if self.user is not None:
                server.login(self.user, self.password or "")
            return server.send_message(message)

    def _failed(self, what: str, what_to_do: str) -> MailscopeError:
        return MailscopeError(what, f"{self.host}:{self.port}", what_to_do)


def _reply(error: smtplib.SMTPResponseException) -> str:
    said = error.smtp_error
    return f"{error.smtp_code} {_words(said if isinstance(said, bytes) else str(said).encode())}"


def _refused(recipients: dict[str, tuple[int, bytes]]) -> str:
    told = (f"{name} ({code} {_words(said)})" for name, (code, said) in recipients.items())
    return f"refused for {', '.join(told)}"


def _words(said: bytes) -> str:
    """A reply of several lines as one."""
    return " ".join(said.decode(errors="replace").split())
