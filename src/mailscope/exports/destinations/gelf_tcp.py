"""Events sent to Graylog over TCP: GELF messages, each ended by a NUL.

GELF has no acknowledgement.  A piece counts as sent when the other end's TCP has acknowledged all of it and
the connection stands; otherwise it is sent again over a new one.  What was acknowledged may still lie unread
in the other end's buffer when it resets the connection: so what may lie there is kept, and goes again too.
A message may come twice but is not lost on the way.
"""

from __future__ import annotations

import array
import fcntl
import select
import socket
import sys
import termios
import time
from collections import deque
from typing import ClassVar, Final

import polars as pl

from mailscope.exports.destinations.address import Address
from mailscope.exports.destinations.destination import Destination
from mailscope.vocabulary.errors import OutputError

LOOK_AGAIN_S: Final = 0.002
# How long to wait for the other end to close after our last byte.
FAREWELL_S: Final = 5.0
# What a receiver's buffer may hold (tcp(7): tcp_rmem grows to so much by default).
UNREAD_BYTES: Final = 6 << 20


class GelfTcp(Destination):
    """A GELF TCP input."""

    most_events: ClassVar[int] = 1000
    most_bytes: ClassVar[int] = 1 << 20
    _socket: socket.socket | None = None

    def __init__(self, address: Address, timeout_s: float, retry_for_s: float) -> None:
        super().__init__(address, timeout_s, retry_for_s)
        # The pieces that were acknowledged last, and whether they have to go again.
        self._last: deque[bytes] = deque()
        self._unread = False

    def deliver(self, piece: pl.DataFrame) -> None:
        """Send a piece until it has arrived."""
        data = b"".join(line.encode() + b"\0" for line in piece["line"])
        self.tried(self.patience(), lambda: self._send(data))
        self.counts.sent += len(piece)
        self._last.append(data)
        while sum(map(len, self._last)) - len(self._last[0]) >= UNREAD_BYTES:
            self._last.popleft()

    def close(self) -> None:
        """End the stream and wait for the other end to have read it, as far as it says so."""
        if self._socket is None:
            return
        try:
            self.tried(self.patience(), self._farewell)
        except OutputError:
            # Of how many events that is true cannot be known; the last piece is certain.
            self.counts.sent -= min(self.counts.sent, self.most_events)
            raise
        finally:
            self.part()

    def _farewell(self) -> None:
        if self._unread:
            self._send(b"")
        assert self._socket is not None
        try:
            self._socket.shutdown(socket.SHUT_WR)
            self._socket.settimeout(min(FAREWELL_S, self.timeout_s))
            while self._socket.recv(4096):
                pass
        except TimeoutError:
            pass  # it has acknowledged everything, and keeps the connection for reasons of its own
        except OSError:
            self._unread = True
            raise

    def part(self) -> None:
        """Drop the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, data: bytes) -> None:
        try:
            self._sent(b"".join([*self._last, data]) if self._unread else data)
        except ConnectionResetError:
            # Had it closed in order, it would have read all that it acknowledged before.
            self._unread = True
            raise
        self._unread = False

    def _sent(self, data: bytes) -> None:
        deadline = time.monotonic() + self.timeout_s
        if self._socket is None:
            where = (self.address.host, self.address.port)
            self._socket = socket.create_connection(where, timeout=self.timeout_s)
        self._socket.settimeout(self.timeout_s)
        self._socket.sendall(data)
        while _unacknowledged(self._socket):
            # What was cut off stays unacknowledged for ever.
            _still_open(self._socket)
            if time.monotonic() > deadline:
                raise TimeoutError("timed out")
            time.sleep(LOOK_AGAIN_S)
        _still_open(self._socket)


def _unacknowledged(connection: socket.socket) -> int:
    """Bytes that the other end's TCP has not acknowledged (tcp(7), SIOCOUTQ); 0 where it cannot be told."""
    if sys.platform != "linux":
        return 0
    left = array.array("i", [0])
    fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, left)
    return left[0]


def _still_open(connection: socket.socket) -> None:
    """Raise an OSError where the other end has gone: then it may not have read what it acknowledged."""
    error = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise OSError(error, "the connection was cut")  # of the class that the number means
    if select.select([connection], [], [], 0)[0] and not connection.recv(4096):
        raise ConnectionError("it closed the connection")
