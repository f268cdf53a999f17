"""A mail to a named SMTP server: straight there, so that it needs no mail server of this host.

Sources: RFC 5321; RFC 3207 (STARTTLS); RFC 8314 (TLS from the start); RFC 4954 (AUTH).
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import Final

from mailscope.exports.destinations.posting import trusting
from mailscope.vocabulary.errors import OutputError
from mailscope.vocabulary.settings.alerting import Route
from mailscope.watch.alerts.message import Message
from mailscope.watch.alerts.senders.letter import letter
from mailscope.watch.alerts.senders.secret import first_line

LONGEST_WORDS: Final = 300
SILENT: Final = "it did not take the message in time"


class SmtpSender:
    """The server that a route names; recipients who have a message are not sent it again."""

    def __init__(self, route: Route, host: str) -> None:
        self._route, self._host = route, host
        self._sender = route.sender or f"mailscope@{host}"
        # The recipients who have a message that others were refused for.
        self._took: tuple[str, frozenset[str]] = ("", frozenset())

    @property
    def where(self) -> str:
        """Host and port."""
        host = self._route.smtp_host
        return f"{f'[{host}]' if ':' in host else host}:{self._route.smtp_port}"

    def send(self, message: Message) -> None:
        """Hand it over."""
        route = self._route
        mail = letter(message, self._sender, route.recipients, self._host)
        took = self._took[1] if self._took[0] == message.id else frozenset()
        left = [each for each in route.recipients if each not in took]
        try:
            with self._connected() as server:
                # Not ``send_message``, which puts a > before lines that begin with From.
                refused = server.sendmail(self._sender, left, mail.as_bytes())
        except (smtplib.SMTPException, OSError) as error:
            raise OutputError(_told(error), self.where, "see the settings of the route") from error
        if refused:
            # The others have it, and are not told again.
            self._took = message.id, took | {each for each in left if each not in refused}
            raise OutputError(_told(smtplib.SMTPRecipientsRefused(refused)), self.where)

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """A session that is cut when the route's time is over: a timeout of the socket begins anew with
        each byte.
        """
        route = self._route
        context = trusting(Path(route.ca_file) if route.ca_file else None)
        password = first_line(route.smtp_password_file, "the password") if route.smtp_user else ""
        session: _Session = (
            _TlsSession(timeout=route.timeout_s, local_hostname=self._host, context=context)
            if route.smtp_tls == "tls"
            else _Session(timeout=route.timeout_s, local_hostname=self._host)
        )
        watchdog = Timer(route.timeout_s, session.cut)
        watchdog.daemon = True
        watchdog.start()
        try:
            session.reach(route.smtp_host, route.smtp_port)
            if route.smtp_tls == "starttls":
                session.starttls(context=context)
            if route.smtp_user:
                session.login(route.smtp_user, password)
            yield session
            with suppress(smtplib.SMTPException, OSError):
                session.quit()
        except (smtplib.SMTPException, OSError) as error:
            # smtplib tells a read that timed out as a server that hung up; the timeout is its context.
            silent = session.late or isinstance(error.__context__, TimeoutError)
            if silent and not isinstance(error, TimeoutError):
                raise TimeoutError(SILENT) from error
            raise
        finally:
            watchdog.cancel()
            session.close()


class _Session(smtplib.SMTP):
    """A session that another thread can cut, whatever it is waiting for."""

    late = False
    _spare: socket.socket | None = None

    def reach(self, host: str, port: int) -> None:
        """Connect."""
        # The name that a certificate is held against; the constructor sets it only where it connects.
        self._host = host
        code, words = self.connect(host, port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, words)

    def cut(self) -> None:
        """End it now."""
        self.late = True
        if self._spare is not None:
            with suppress(OSError):
                self._spare.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the connection."""
        super().close()
        if self._spare is not None:
            self._spare.close()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        found: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        # TLS takes the socket itself away, and shutting that layer down beside a read is not allowed.
        self._spare = found.dup()
        return found


class _TlsSession(smtplib.SMTP_SSL, _Session):
    """The same with TLS from the start."""


def _told(error: Exception) -> str:
    """Why, in one line, without what we said to the server."""
    match error:
        case smtplib.SMTPAuthenticationError():
            return f"the login was refused: {error.smtp_code} {_words(error.smtp_error)}"
        case smtplib.SMTPRecipientsRefused():
            told = (f"{name} ({code} {_words(said)})" for name, (code, said) in error.recipients.items())
            return f"refused for {', '.join(told)}"[:LONGEST_WORDS]
        case smtplib.SMTPResponseException():
            return f"it answered {error.smtp_code} {_words(error.smtp_error)}"
        case TimeoutError():
            return SILENT
        case ssl.SSLError():
            return f"no secure connection: {getattr(error, 'verify_message', '') or error.reason or error}"
        case OSError() if not isinstance(error, smtplib.SMTPException):
            return f"no connection: {error.strerror or error}"
    return f"{error}"[:LONGEST_WORDS]


def _words(said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:LONGEST_WORDS]
