"""Where logger sends: a unix socket, or a server over UDP or TCP."""

from __future__ import annotations

import os
import socket
import struct
from contextlib import suppress
from typing import Final

from mailscope.syslog.logger.options import Options
from mailscope.vocabulary.errors import OutputError

_SCM_CREDENTIALS: Final = 2
# Names of /etc/services; many hosts lack the second.
_PORTS: Final = {"syslog": 514, "syslog-conn": 601}


class Connection:
    """A connection, made again when it is gone.  Raises OutputError where a server cannot be reached."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._socket: socket.socket | None = None
        self.stream = False
        if options.act:
            self._open()

    def send(self, data: bytes) -> bool:
        """Send one message, framed already; whether it was taken."""
        for _ in range(2):
            if self._socket is None:
                self._open()
            if self._socket is None:
                return False
            try:
                self._send(data)
            except OSError:
                self.close()
            else:
                return True
        return False

    def close(self) -> None:
        """Let go of it."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, data: bytes) -> None:
        assert self._socket is not None
        credentials = self._credentials()
        if credentials:
            self._socket.sendmsg([data], [(socket.SOL_SOCKET, _SCM_CREDENTIALS, credentials)])
        else:
            self._socket.sendall(data)

    def _credentials(self) -> bytes:
        """As root, the process that --id names is the sender to whoever asks the kernel."""
        process = self._options.process
        if self._options.server or not process or process == os.getpid() or os.geteuid():
            return b""
        try:
            os.kill(process, 0)
        except (OSError, OverflowError):
            return b""
        return struct.pack("3i", process, os.getuid(), os.getgid())

    def _kinds(self) -> list[socket.SocketKind]:
        kinds = {"udp": socket.SOCK_DGRAM, "tcp": socket.SOCK_STREAM}
        chosen = self._options.protocol
        return [socket.SOCK_DGRAM, socket.SOCK_STREAM] if chosen == "any" else [kinds[chosen]]

    def _open(self) -> None:
        if self._options.server is None:
            self._open_path()
        else:
            self._open_server(self._options.server)

    def _open_path(self) -> None:
        error: OSError | None = None
        for kind in self._kinds():
            made = socket.socket(socket.AF_UNIX, kind)
            try:
                made.connect(self._options.socket)
            except OSError as failure:
                made.close()
                error = failure
                continue
            self._socket, self.stream = made, kind == socket.SOCK_STREAM
            return
        if self._options.socket_errors and error is not None:
            raise OutputError(error.strerror or str(error), f"socket {self._options.socket}")

    def _open_server(self, server: str) -> None:
        port = self._options.port
        for kind in self._kinds():
            wanted = port or ("syslog" if kind == socket.SOCK_DGRAM else "syslog-conn")
            try:
                found = socket.getaddrinfo(server, wanted, type=kind)
            except socket.gaierror as error:
                if wanted not in _PORTS or port:
                    what = f"failed to resolve name {server} port {wanted}: {error.strerror}"
                    raise OutputError(what, "--server") from error
                found = socket.getaddrinfo(server, _PORTS[wanted], type=kind)
            family, sort, protocol, _, address = found[0]
            made = socket.socket(family, sort, protocol)
            try:
                made.connect(address)
            except OSError:
                with suppress(OSError):
                    made.close()
                continue
            self._socket, self.stream = made, kind == socket.SOCK_STREAM
            return
        raise OutputError(f"failed to connect to {server} port {port or 'syslog'}", "--server")
