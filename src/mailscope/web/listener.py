"""The TCP address of the live page: a thread of the daemon, with TLS where there is a certificate."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import ASGIApp

from mailscope.vocabulary.errors import InputError

if TYPE_CHECKING:
    from mailscope.vocabulary.settings.web import Web


class Listener:
    """Answers until it is closed.  Raises InputError where the address or the certificate cannot be had."""

    def __init__(self, app: ASGIApp, settings: Web) -> None:
        self._settings = settings
        self._socket = _bound(settings.address, settings.port)
        config = uvicorn.Config(
            app, ws="none", lifespan="off", log_config=None, access_log=False, server_header=False,
            timeout_keep_alive=30, timeout_graceful_shutdown=1, limit_concurrency=200, http="h11",
            # The guard itself knows which proxies are ours.
            proxy_headers=False, h11_max_incomplete_event_size=32 << 10,
        )  # fmt: skip
        config.load()
        if settings.certificate:
            try:
                config.ssl = _context(settings)
            except InputError:
                self._socket.close()
                raise
        self._context = config.ssl
        self._server = uvicorn.Server(config)
        # Signals are the daemon's.
        self._server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._run, name="mailscope-web", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """How it is reached from this host."""
        host, port = self._socket.getsockname()[:2]
        scheme = "https" if self._context is not None else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    def renew_certificate(self) -> None:
        """Read it again; connections from now on have the new one.  Raises InputError; the old one stays."""
        if self._context is not None:
            _context(self._settings)
            _load(self._context, self._settings)

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])

    def close(self) -> None:
        """Answer no more."""
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._socket.close()


def _context(settings: Web) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, settings)
    return context


def _load(context: ssl.SSLContext, settings: Web) -> None:
    for file in (settings.certificate, settings.key):
        try:
            Path(file).open("rb").close()
        except OSError as error:
            raise InputError.from_os_error(error, file) from error
    try:
        # A key with a password would ask for it at a terminal that is not there.
        context.load_cert_chain(settings.certificate, settings.key, password="")
    except (ssl.SSLError, OSError, ValueError) as error:
        raise InputError(
            f"certificate and key cannot be used ({' '.join(str(error).split())})",
            f"{settings.certificate}, {settings.key}",
            "give PEM files that belong together, and a key without a password",
        ) from error


def _bound(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((address, port))
        opened.listen(128)
    except OSError as error:
        opened.close()
        raise InputError(
            f"the live page cannot be served there ({error.strerror or error})", f"{address} port {port}",
            "give [web] another address or port",
        ) from error  # fmt: skip
    return opened
