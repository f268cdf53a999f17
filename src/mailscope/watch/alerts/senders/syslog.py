"""A line for syslog: to the host's own daemon, or to another host by UDP.

Sources: RFC 3164 (what /dev/log takes everywhere), RFC 5424 (over UDP, RFC 5426; its structured data name
the finding).  UDP never tells whether anybody listens.
"""

from __future__ import annotations

import os
import socket
import time
from datetime import UTC, datetime
from typing import Final

from mailscope.exports.severities import FACILITY
from mailscope.vocabulary.errors import OutputError
from mailscope.vocabulary.settings.alerting import Route
from mailscope.watch.alerts.message import Message

# crit, warning, notice.
SEVERITY: Final = {"critical": 2, "warning": 4, "info": 5}
TAG: Final = "mailscope"
# What every syslog receiver must take over UDP (RFC 5424 section 6.1) is less; what most take is more.
LONGEST_BYTES: Final = 1_024


class SyslogSender:
    """The socket or the host that a route names."""

    def __init__(self, route: Route, host: str) -> None:
        self._route, self._host = route, host

    @property
    def where(self) -> str:
        """The socket, or the host and its port."""
        route = self._route
        return f"{route.syslog_host}:{route.syslog_port}/udp" if route.syslog_host else route.syslog_socket

    def send(self, message: Message) -> None:
        """Hand it over."""
        route = self._route
        try:
            if route.syslog_host:
                self._by_udp(self._rfc5424(message))
            else:
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
                    sending.settimeout(route.timeout_s)
                    sending.connect(route.syslog_socket)
                    sending.send(self._rfc3164(message))
        except OSError as error:
            raise OutputError.from_os_error(error, self.where) from error

    def _by_udp(self, line: bytes) -> None:
        found = socket.getaddrinfo(self._route.syslog_host, self._route.syslog_port, type=socket.SOCK_DGRAM)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as sending:
            sending.settimeout(self._route.timeout_s)
            sending.sendto(line, address)

    def _priority(self, message: Message) -> int:
        return FACILITY[self._route.facility] * 8 + SEVERITY[message.severity]

    def _rfc3164(self, message: Message) -> bytes:
        # Its stamp is the host's local time, with a blank for a zero of the day.
        now = time.localtime()
        stamp = f"{time.strftime('%b', now)} {now.tm_mday:2} {time.strftime('%H:%M:%S', now)}"
        return _cut(f"<{self._priority(message)}>{stamp} {TAG}[{os.getpid()}]: {_line(message)}")

    def _rfc5424(self, message: Message) -> bytes:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        host = "".join(char for char in self._host if char.isascii() and char.isprintable()) or "-"
        data = f'[mailscope@32473 id="{message.id}" kind="{message.kind}" finding="{message.thread or ""}"]'
        head = f"<{self._priority(message)}>1 {now} {host} {TAG} {os.getpid()} {message.kind} {data}"
        return _cut(f"{head} \ufeff{_line(message)}")


def _line(message: Message) -> str:
    return f"{message.title} [{message.thread or message.id}]"


def _cut(line: str) -> bytes:
    return line.encode(errors="replace")[:LONGEST_BYTES].decode(errors="ignore").encode()
