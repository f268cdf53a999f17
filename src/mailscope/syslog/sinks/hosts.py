"""Other hosts: over UDP, which loses what it wants, and TCP, with a line feed behind each (RFC 6587)."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from typing import Final

from mailscope.syslog.conf.rules import Action
from mailscope.syslog.record import FORMS, Record
from mailscope.syslog.sinks.troubles import Troubles

_CONNECT_S: Final = 10.0
_AGAIN_S: Final = 1.0
# A TCP connection that is gone is tried for so long before what it should have sent is given up.
_PATIENCE_S: Final = 60.0


def forwarded(record: Record, form: str) -> bytes:
    """A message with its priority in front."""
    line = FORMS[form](record).replace(b"\n", b"#012")
    return line if form == "rfc5424" else b"<%d>%b" % (record.priority, line)


class UdpSink:
    """Datagrams to a host."""

    def __init__(self, action: Action, say: Callable[[str], None]) -> None:
        self._action = action
        self._socket: socket.socket | None = None
        self._troubles = Troubles(f"{action.target}:{action.port}", say)

    def write(self, records: Sequence[Record]) -> None:
        """Send one for each."""
        for done, record in enumerate(records):
            try:
                if self._socket is None:
                    self._socket = _connected(self._action, socket.SOCK_DGRAM)
                self._socket.send(forwarded(record, self._action.form))
            except OSError as error:
                self._troubles.met(error, len(records) - done)
                self.close()
                return
        self._troubles.passed()

    def reopen(self) -> None:
        """Look the name up again."""
        self.close()

    def close(self) -> None:
        """Let go of it."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class TcpSink:
    """A connection to a host, made again when it is gone."""

    def __init__(self, action: Action, say: Callable[[str], None]) -> None:
        self._action = action
        self._socket: socket.socket | None = None
        self._troubles = Troubles(f"{action.target}:{action.port}", say)

    def write(self, records: Sequence[Record]) -> None:
        """Send a line for each, again from the first of the batch if the connection breaks in it."""
        data = b"".join(forwarded(record, self._action.form) + b"\n" for record in records)
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                if self._socket is None:
                    self._socket = _connected(self._action, socket.SOCK_STREAM)
                elif _gone(self._socket):
                    raise ConnectionResetError(0, "the other side has closed the connection")
                self._socket.sendall(data)
            except OSError as error:
                self.close()
                late = time.monotonic() >= until
                self._troubles.met(error, len(records) if late else 0)
                if late:
                    return
                time.sleep(_AGAIN_S)
            else:
                self._troubles.passed()
                return

    def reopen(self) -> None:
        """Connect anew."""
        self.close()

    def close(self) -> None:
        """Let go of it."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _connected(action: Action, kind: socket.SocketKind) -> socket.socket:
    found = socket.getaddrinfo(action.target, action.port, type=kind)
    family, kind, protocol, _, address = found[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.settimeout(_CONNECT_S)
        made.connect(address)
    except OSError:
        made.close()
        raise
    return made


def _gone(sock: socket.socket) -> bool:
    """Whether the other side has closed: what is sent then seems to be taken, and is lost."""
    try:
        sock.setblocking(False)
        return sock.recv(1) == b""
    except BlockingIOError:
        return False
    finally:
        sock.settimeout(_CONNECT_S)
