"""The socket on which the host's own syslog daemon takes messages.

In: messages with their priority.  Out: datagrams or, where the daemon listens to a stream, messages that a
NUL ends, as syslog(3) of the C library sends them.  Never: what a message holds.

A daemon that is restarted is found again; a message that it does not take within the patience is counted as
lost, not forgotten.
"""

from __future__ import annotations

import errno
import socket
import time
from contextlib import suppress
from typing import Final

from mailscope.vocabulary.errors import OutputError

DEV_LOG: Final = "/dev/log"
# A daemon that is being restarted is waited for so long; then messages are lost until it is back.
PATIENCE_S: Final = 5.0
_AGAIN_S: Final = 0.05


class LocalSocket:
    """A connection to a unix socket of a syslog daemon; ``lost`` counts what it did not take."""

    def __init__(self, path: str = DEV_LOG, patience_s: float = PATIENCE_S) -> None:
        """Connect.  Raises OutputError where nobody listens there."""
        self.path = path
        self.lost = 0
        self._patience_s = patience_s
        self._given_up = False
        self._ending = b""
        self._socket: socket.socket | None = None
        try:
            self._connect()
        except OSError as error:
            raise OutputError(
                f"no syslog daemon takes messages: {error.strerror or error}",
                path,
                "start one, or name another socket",
            ) from error

    def _connect(self) -> None:
        self.close()
        # As syslog(3): datagrams first, then a stream.
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            made = socket.socket(socket.AF_UNIX, kind)
            try:
                made.connect(self.path)
            except OSError as error:
                made.close()
                if error.errno != errno.EPROTOTYPE:
                    raise
                continue
            self._socket = made
            self._ending = b"" if kind == socket.SOCK_DGRAM else b"\0"
            return
        raise OSError(errno.EPROTOTYPE, "neither a datagram nor a stream socket")

    def send(self, message: bytes) -> None:
        """Give one message to the daemon; waits while it has no room."""
        if self._socket is not None:
            try:
                self._socket.sendall(message + self._ending)
            except OSError as error:
                if error.errno == errno.EMSGSIZE:
                    self.lost += 1
                    return
            else:
                return
        self._send_again(message)

    def _send_again(self, message: bytes) -> None:
        until = time.monotonic() + (0.0 if self._given_up else self._patience_s)
        while True:
            try:
                self._connect()
                assert self._socket is not None
                self._socket.sendall(message + self._ending)
            except OSError:
                if time.monotonic() >= until:
                    self._given_up = True
                    self.lost += 1
                    return
                time.sleep(_AGAIN_S)
            else:
                self._given_up = False
                return

    def close(self) -> None:
        """Let go of it."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
            self._socket = None
