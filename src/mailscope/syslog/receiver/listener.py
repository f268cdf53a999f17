"""Where the receiver listens: what the settings say of one socket."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from mailscope.syslog.receiver.limits import Senders
from mailscope.syslog.receiver.message import Transport
from mailscope.syslog.receiver.sockets import bound, bound_to_path, enlarge
from mailscope.syslog.receiver.tls import Certificates
from mailscope.vocabulary.errors import InputError, UsageError

BACKLOG: Final = 1024


@dataclass(frozen=True)
class Listener:
    """A socket to listen on.

    ``address``: an IP address, or the path of a unix socket; ``port``: 0 lets the kernel choose;
    ``senders``: the networks that may send, all if empty; ``certificates``: for TLS; ``names_host``:
    whether BSD messages may tell their host (None: from the network they may, on a unix socket, where
    syslog(3) writes, not); ``mode``: of a unix socket's file.
    """

    transport: Transport
    address: str
    port: int = 514
    senders: Sequence[str] = ()
    certificates: Certificates | None = None
    names_host: bool | None = None
    mode: int = 0o666
    allowed: Senders = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "allowed", Senders(self.senders))
        if (self.transport == "tls") != (self.certificates is not None):
            raise UsageError("TLS, and only TLS, needs a certificate", self.name)
        if self.address.split() != [self.address]:
            raise UsageError("an address or path with blanks in it", self.name, "choose another path")
        if not self.local:
            try:
                ip_address(self.address.partition("%")[0])
            except ValueError as error:
                what_to_do = "write an address of this host, 0.0.0.0 or :: for all of them"
                raise UsageError("not an IP address", self.name, what_to_do) from error

    @property
    def local(self) -> bool:
        """Whether it is a unix socket."""
        return self.transport in ("unix-dgram", "unix-stream")

    @property
    def datagrams(self) -> bool:
        """Whether every message comes by itself."""
        return self.transport in ("udp", "unix-dgram")

    @property
    def tells_host(self) -> bool:
        """Whether a BSD message may tell its host."""
        return not self.local if self.names_host is None else self.names_host

    @property
    def name(self) -> str:
        """How it is shown, such as ``udp [::]:514``."""
        if self.local:
            return f"{self.transport} {self.address}"
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.transport} {address}:{self.port}"

    def open(self) -> socket.socket:
        """The bound socket, which never waits.  Raises InputError where that cannot be."""
        kind = socket.SOCK_DGRAM if self.datagrams else socket.SOCK_STREAM
        try:
            if self.local:
                made = bound_to_path(self.address, kind, self.mode)
            else:
                made = bound(self.address, self.port, kind)
            made.setblocking(False)
            if self.datagrams:
                enlarge(made)
            else:
                made.listen(BACKLOG)
        except OSError as error:
            raise InputError(
                f"cannot listen: {error.strerror or error}", self.name, _advice(error)
            ) from error
        return made


def _advice(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "ports under 1024 and system sockets need the right to bind them (CAP_NET_BIND_SERVICE)"
    return "see which program has it (ss -lptux)"
