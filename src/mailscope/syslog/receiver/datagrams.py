"""Messages that come one by one: UDP (RFC 5426) and unix datagram sockets such as /dev/log."""

from __future__ import annotations

import socket
from typing import Final

from mailscope.syslog.receiver.counts import Counts
from mailscope.syslog.receiver.framing import CUT
from mailscope.syslog.receiver.listener import Listener
from mailscope.syslog.receiver.message import Message
from mailscope.syslog.receiver.sockets import dropped

# How many are read before others have their turn.
TURN: Final = 512
_WRAP: Final = 1 << 32
_MAPPED: Final = "::ffff:"


def plain(address: str) -> str:
    """An IPv4 address that came in by an IPv6 socket as itself."""
    return address[len(_MAPPED) :] if address.startswith(_MAPPED) and "." in address else address


class Datagrams:
    """A socket of datagrams."""

    def __init__(self, listener: Listener, sock: socket.socket, counts: Counts, message_bytes: int) -> None:
        self.listener = listener
        self.socket = sock
        self.counts = counts
        self._buffer = memoryview(bytearray(message_bytes))
        self._dropped = dropped(sock) or 0

    def read(self, now_us: int) -> tuple[list[Message], bool]:
        """Messages that have come, as many as one turn allows, and whether there may be more."""
        out: list[Message] = []
        buffer, most, counts = self._buffer, len(self._buffer), self.counts
        receive, allowed = self.socket.recvfrom_into, self.listener.allowed.allowed
        transport = self.listener.transport
        read = 0
        for _ in range(TURN):
            try:
                # With MSG_TRUNC the length is that of the datagram, not of what was kept.
                length, sender = receive(buffer, most, socket.MSG_TRUNC)
            except BlockingIOError:
                break
            except OSError as error:
                counts.add("broken", 1, now_us, error.strerror or str(error))
                break
            peer = plain(sender[0]) if isinstance(sender, tuple) else ""
            read += 1
            if not allowed(peer):
                counts.add("sender", 1, now_us, peer)
                continue
            data = bytes(buffer[:length])
            if length > most:
                counts.add("truncated", 1, now_us, peer)
                data += CUT % (length - most)
            if not data.strip(b"\r\n\0"):
                counts.empty += 1
                continue
            counts.bytes += len(data)
            out.append(Message(peer, transport, now_us, data))
        counts.messages += len(out)
        return out, read == TURN

    def count_dropped(self, now_us: int) -> None:
        """Ask the kernel what it has dropped since it was asked last."""
        total = dropped(self.socket)
        if total is not None:
            self.counts.add("kernel", (total - self._dropped) % _WRAP, now_us)
            self._dropped = total
