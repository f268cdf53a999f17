"""Figures for Prometheus: ``/metrics`` on the daemon's socket and, where the settings ask for it, on TCP.

On TCP nothing else is answered but the blocklist; with a token, only who shows it (``Authorization:
Bearer``, RFC 6750).
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from functools import partial
from hmac import compare_digest
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uvicorn
from fastapi import FastAPI, Request, Response
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from mailscope.vocabulary.errors import InputError
from mailscope.web.served import Served

if TYPE_CHECKING:
    from mailscope.vocabulary.settings.outward import Metrics

PATH: Final = "/metrics"
Page = Callable[[str], tuple[bytes, str]]
# What else is answered over TCP, by path.
More = Mapping[str, Callable[[Request], Response]]
NOTHING: Final[More] = {}


def add_metrics(app: FastAPI, service: Served) -> None:
    """The figures among what the API answers."""

    @app.get(
        PATH,
        summary="Figures for Prometheus (docs/metrics.md).",
        response_class=Response,
        responses={200: {"content": {"text/plain": {}, "application/openmetrics-text": {}}}},
    )
    def metrics(request: Request) -> Response:
        return answer(service.metrics, request)


def answer(page: Page, request: Request) -> Response:
    """The page in the form that is asked for."""
    body, kind = page(request.headers.get("accept", ""))
    return Response(body, media_type=None, headers={"content-type": kind, "vary": "Accept"})


def scraped(page: Page, wanted: Callable[[], str], more: More = NOTHING) -> Starlette:
    """An application for the figures, and ``more`` by path; ``wanted``: gives the token, empty for none."""

    def guarded(path: str, answering: Callable[[Request], Response]) -> Route:
        async def answered(request: Request) -> Response:
            shown, token = request.headers.get("authorization", ""), wanted()
            if token and not compare_digest(shown.encode(), f"Bearer {token}".encode()):
                words = "a token is needed: see authorization in Prometheus' scrape_config\n"
                return Response(words, 401, {"www-authenticate": 'Bearer realm="mailscope"'}, "text/plain")
            return await run_in_threadpool(answering, request)

        return Route(path, answered, methods=["GET"])

    return Starlette(
        routes=[guarded(PATH, partial(answer, page)), *(guarded(*each) for each in more.items())]
    )


class Scraped:
    """The TCP address and the thread that answers on it."""

    def __init__(self, page: Page, address: str, port: int, token: str = "", more: More = NOTHING) -> None:
        """Begin to answer.  Raises InputError where the address cannot be had."""
        self.token = token
        self._socket = _bound(address, port)
        app = scraped(page, lambda: self.token, more)
        config = uvicorn.Config(
            app, ws="none", lifespan="off", log_config=None, access_log=False, server_header=False,
            timeout_keep_alive=75, timeout_graceful_shutdown=1, limit_concurrency=20, http="h11",
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        # Signals are the daemon's.
        self._server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._run, name="mailscope-metrics", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._socket.getsockname()[1])

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])

    def close(self) -> None:
        """Answer no more."""
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._socket.close()


def _bound(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    where = f"{address} port {port}"
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((address, port))
        opened.listen(20)
    except OSError as error:
        opened.close()
        raise InputError(
            f"figures cannot be answered there ({error.strerror or error})", where,
            "give [metrics] another address or port",
        ) from error  # fmt: skip
    return opened


def read_token(settings: Metrics) -> str:
    """The first line of the token's file; empty where none is asked for.  Raises InputError."""
    if not (settings.enabled and settings.token_file):
        return ""
    path = Path(settings.token_file)
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise InputError.from_os_error(error, path) from error
    except UnicodeDecodeError:
        lines = []
    token = lines[0].strip() if lines else ""
    if not token:
        raise InputError("it holds no token", str(path), "its first line is the token, in ASCII")
    return token
