"""Events sent to Graylog over UDP: GELF messages, compressed, in chunks where they are long.

Source: the GELF specification: a chunk begins with 0x1e 0x0f, 8 bytes of message id, its number and the
number of chunks; there are at most 128.  UDP has no acknowledgement and no flow control: "sent" is handed
to the network.  The one thing that can be known is that nobody listens (an ICMP message), and then it is
tried again.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
import zlib
from typing import ClassVar, Final

import polars as pl

from mailscope.exports.destinations.destination import Destination
from mailscope.vocabulary.errors import OutputError

MAGIC: Final = b"\x1e\x0f"
HEADER_BYTES: Final = 12
MOST_CHUNKS: Final = 128
# What passes every network in one packet; and what Graylog takes at most, for messages that need more chunks.
SMALL_DATAGRAM, LARGE_DATAGRAM = 1420, 8192
# How long to listen for an ICMP message after the last datagram.
LINGER_S: Final = 0.2


class GelfUdp(Destination):
    """A GELF UDP input."""

    most_events: ClassVar[int] = 100
    most_bytes: ClassVar[int] = 1 << 20
    _socket: socket.socket | None = None

    def deliver(self, piece: pl.DataFrame) -> None:
        """Send a piece; an error that comes with the next one is this one's."""
        messages = [_datagrams(line.encode()) for line in piece["line"]]
        too_long = sum(message is None for message in messages)
        if too_long:
            self.counts.refuse(too_long, f"a message would need more than {MOST_CHUNKS} chunks")
        datagrams = [datagram for message in messages for datagram in message or ()]
        self.tried(self.patience(), lambda: self._send(datagrams))
        self.counts.sent += len(piece) - too_long

    def close(self) -> None:
        """Listen a moment for word that nobody listens, then close."""
        if self._socket is None:
            return
        time.sleep(LINGER_S)
        try:
            _heard(self._socket)
        except OSError as error:
            # Of how many events that is true cannot be known; the last piece is certain.
            self.counts.sent -= min(self.counts.sent, self.most_events)
            raise OutputError(
                "nobody listens there", str(self.address), "start the input and run it again"
            ) from error
        finally:
            self.part()

    def part(self) -> None:
        """Drop the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, datagrams: list[bytes]) -> None:
        connection = self._connected()
        for datagram in datagrams:
            connection.send(datagram)
        _heard(connection)

    def _connected(self) -> socket.socket:
        if self._socket is None:
            kind = socket.SOCK_DGRAM
            family, _, _, _, where = socket.getaddrinfo(self.address.host, self.address.port, type=kind)[0]
            self._socket = socket.socket(family, kind)
            self._socket.settimeout(self.timeout_s)
            self._socket.connect(where)
        return self._socket


def _heard(connection: socket.socket) -> None:
    """Raise an OSError where the network has sent word that datagrams did not arrive."""
    error = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise OSError(error, os.strerror(error))


def _datagrams(message: bytes) -> list[bytes] | None:
    """A message's datagrams; None where it is too long for GELF."""
    packed = zlib.compress(message, 1)
    if len(packed) <= SMALL_DATAGRAM:
        return [packed]
    for size in (SMALL_DATAGRAM - HEADER_BYTES, LARGE_DATAGRAM - HEADER_BYTES):
        chunks = [packed[start : start + size] for start in range(0, len(packed), size)]
        if len(chunks) <= MOST_CHUNKS:
            head = MAGIC + secrets.token_bytes(8)
            return [head + bytes((number, len(chunks))) + chunk for number, chunk in enumerate(chunks)]
    return None
