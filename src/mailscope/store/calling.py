"""HTTP on the daemon's unix socket; nothing heavy is imported for it."""

from __future__ import annotations

import http.client
import socket
from pathlib import Path
from typing import Any, Final

TIMEOUT_S: Final = 600.0


class _Socket(socket.socket):
    """A socket whose other end may go without ending this process, which lets SIGPIPE end it."""

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send all; raises BrokenPipeError where nobody is there any more."""
        super().sendall(data, flags | socket.MSG_NOSIGNAL)


class Connection(http.client.HTTPConnection):
    """A connection to the socket at a path."""

    def __init__(self, path: Path, timeout_s: float = TIMEOUT_S) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path
        self._timeout_s = timeout_s

    def connect(self) -> None:
        """Connect to the socket's path."""
        self.sock = _Socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self._timeout_s)
        self.sock.connect(str(self._path))
