"""HTTP requests that end: a POST with a deadline over all of it, and an answer of bounded size.

A socket's own timeout begins anew with every byte, so a server that drips could hold a request for ever; a
watchdog cuts the connection at the deadline.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from threading import Timer
from typing import Final

from mailscope import __version__
from mailscope.exports.destinations.address import Address
from mailscope.vocabulary.errors import InputError

MOST_ANSWER_BYTES: Final = 32 << 20
# What sending can fail with, besides an answer that says no.
Failure = (OSError, HTTPException)


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's answer."""

    status: int
    reason: str
    body: bytes
    retry_after: str | None


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Certificates are always verified: against the system's authorities, or those in a file (PEM).

    Raises InputError where that file is no such thing.
    """
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except ssl.SSLError as error:
        raise InputError("there is no certificate in it", str(ca_file), "name a file in PEM form") from error
    except OSError as error:
        raise InputError.from_os_error(error, str(ca_file)) from error


class Poster:
    """One kept connection to an HTTP server."""

    def __init__(
        self, address: Address, timeout_s: float, authorization: str | None, context: ssl.SSLContext | None
    ) -> None:
        self.timeout_s = timeout_s
        self._headers = {"User-Agent": f"mailscope/{__version__}", "Accept": "application/json"}
        if authorization is not None:
            self._headers["Authorization"] = authorization
        if context is None:
            self._connection = HTTPConnection(address.host, address.port, timeout=timeout_s)
        else:
            self._connection = HTTPSConnection(address.host, address.port, timeout=timeout_s, context=context)

    def post(
        self, path: str, body: bytes, content_type: str, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request, with more ``headers`` where there are any, and read its answer.

        Raises OSError (TimeoutError at the deadline) or HTTPException; the next request then opens a new
        connection.
        """
        connection = self._connection
        cut = False

        def expire() -> None:
            nonlocal cut
            cut = True
            if connection.sock is not None:
                with suppress(OSError):
                    # Not the TLS layer's shutdown, which must not run beside a read.
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

        watchdog = Timer(self.timeout_s, expire)
        watchdog.daemon = True
        watchdog.start()
        try:
            # A server may answer (that it is too much, say) and close before it has read everything.
            with suppress(BrokenPipeError):
                own = {"Content-Type": content_type, **(headers or {})}
                connection.request("POST", path, body, self._headers | own)
            response = connection.getresponse()
            answer = response.read(MOST_ANSWER_BYTES + 1)
            if len(answer) > MOST_ANSWER_BYTES:
                raise HTTPException("the answer is too long")
            if cut:
                raise TimeoutError("timed out")
        except Failure as failure:
            connection.close()
            if cut and not isinstance(failure, TimeoutError):
                raise TimeoutError("timed out") from failure
            raise
        finally:
            watchdog.cancel()
        return Answer(response.status, response.reason, answer, response.headers.get("Retry-After"))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
