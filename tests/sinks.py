"""Servers on loopback that take alerts: SMTP, HTTP, datagrams, and one that never answers."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from mta import free_port


class Mails:
    """What an SMTP server took; recipients who begin with ``refused`` it does not take."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, list[str], EmailMessage]] = []
        self.port = free_port()
        self.logins: list[str] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address.startswith("refused"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 Ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.taken.append((envelope.mail_from, list(envelope.rcpt_tos), mail))
        return "250 taken"


@contextmanager
def smtp_sink(certificate: tuple[Path, Path] | None = None, password: str = "") -> Iterator[Mails]:
    """A server; with STARTTLS where there is a certificate, with a login where there is a password."""
    mails = Mails()

    def login(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        mails.logins.append(data.login.decode())
        return AuthResult(success=data.password.decode() == password, handled=False)

    more: dict[str, Any] = {}
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        more["tls_context"] = context
    if password:
        more |= {"authenticator": login, "auth_required": True}
    controller = Controller(mails, hostname="127.0.0.1", port=mails.port, **more)
    controller.start()
    try:
        yield mails
    finally:
        controller.stop()


class Posts:
    """What an HTTP server was posted; ``status``: what it answers."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 204
        self.port = 0


@contextmanager
def http_sink(status: int = 204) -> Iterator[Posts]:
    posts = Posts()
    posts.status = status

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posts.taken.append(
                (self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            )
            self.send_response(posts.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    posts.port = server.server_address[1]
    try:
        yield posts
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@contextmanager
def hanging_server(words: bytes = b"", every_s: float = 0.0) -> Iterator[int]:
    """It accepts and never answers; or drips some words, a byte at a time."""
    ended = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.1)
    held: list[socket.socket] = []

    def drip(connection: socket.socket) -> None:
        try:
            for byte in words:
                if ended.wait(every_s):
                    return
                connection.send(bytes([byte]))
        except OSError:
            return

    def accept() -> None:
        while not ended.is_set():
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                continue
            held.append(connection)
            if words:
                threading.Thread(target=drip, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        ended.set()
        thread.join(10)
        for connection in held:
            connection.close()
        listening.close()
