"""Sockets on which connections are accepted, and how many may be open."""

from __future__ import annotations

import errno
import socket
import ssl
from collections import Counter
from collections.abc import Iterator
from typing import Final

from mailscope.syslog.receiver.counts import Counts
from mailscope.syslog.receiver.datagrams import plain
from mailscope.syslog.receiver.limits import Limits
from mailscope.syslog.receiver.listener import Listener
from mailscope.syslog.receiver.streams import Connection

# New connections a turn.
TURN: Final = 64
_NO_FILES: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Opened:
    """The connections that are open, through whichever door they came."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._connections: set[Connection] = set()
        self._addresses: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Connection]:
        """All of them as they are now; they may be closed meanwhile."""
        return iter(list(self._connections))

    def __len__(self) -> int:
        return len(self._connections)

    def add(self, connection: Connection) -> None:
        """One more."""
        self._connections.add(connection)
        self._addresses[connection.peer] += 1
        connection.counts.connections += 1

    def remove(self, connection: Connection) -> None:
        """One less."""
        self._connections.discard(connection)
        self._addresses[connection.peer] -= 1
        if not self._addresses[connection.peer]:
            del self._addresses[connection.peer]
        connection.counts.connections -= 1

    def refusal(self, listener: Listener, peer: str) -> str | None:
        """The kind of trouble for which a connection of this peer is refused; None if it is welcome."""
        if not listener.allowed.allowed(peer):
            return "refused"
        if len(self._connections) >= self.limits.connections:
            return "crowded"
        # Programs of this host have no address to be told apart by.
        if peer and self._addresses[peer] >= self.limits.per_address:
            return "crowding"
        return None


class Door:
    """A socket on which connections are accepted.

    ``context``: for TLS; ``closed_until_s``: not listened to until then (monotonic clock), as there was no
    file descriptor for another connection; 0 if it is open.
    """

    def __init__(
        self, listener: Listener, sock: socket.socket, counts: Counts, context: ssl.SSLContext | None
    ) -> None:
        self.listener = listener
        self.socket = sock
        self.counts = counts
        self.context = context
        self.closed_until_s = 0.0

    def accept(self, opened: Opened, now_us: int, now_s: float, rest_s: float) -> Iterator[Connection]:
        """Connections that are waiting and welcome, as many as one turn allows; each is one of ``opened``."""
        for _ in range(TURN):
            try:
                sock, address = self.socket.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno not in _NO_FILES:
                    continue  # gone again before it was accepted
                self.counts.add("descriptors", 1, now_us)
                self.closed_until_s = now_s + rest_s
                return
            peer = plain(address[0]) if isinstance(address, tuple) else ""
            if kind := opened.refusal(self.listener, peer):
                self.counts.add(kind, 1, now_us, peer)
                sock.close()
                continue
            try:
                connection = Connection(self.listener, sock, peer, self.counts, opened.limits, now_s)
                if self.context is not None:
                    connection.secure(self.context)
            except OSError as error:  # it is closed on the other side already
                self.counts.add("broken", 1, now_us, f"{peer}: {error.strerror or error}")
                sock.close()
                continue
            opened.add(connection)
            yield connection
