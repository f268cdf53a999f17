"""Messages that come one by one: UDP (RFC 5426) and unix datagram sockets such as /dev/log."""

from __future__ import annotations

import socket
from ipaddress import IPv6Address, ip_address
from typing import Final

from mailscope.syslog.receiver.bulk import Bulk
from mailscope.syslog.receiver.counts import Counts
from mailscope.syslog.receiver.framing import CUT
from mailscope.syslog.receiver.listener import Listener
from mailscope.syslog.receiver.message import Message
from mailscope.syslog.receiver.sockets import dropped

# How many are read before others have their turn, about.
TURN: Final = 1024
_REMEMBERED: Final = 10_000
_WRAP: Final = 1 << 32


def plain(address: bytes | str) -> str:
    """An address as it is written; an IPv4 one that came in by an IPv6 socket as itself."""
    zone = address.partition("%")[1:] if isinstance(address, str) else ("", "")
    found = ip_address(address.partition("%")[0] if isinstance(address, str) else address)
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped) if mapped else str(found) + "".join(zone)


class Datagrams:
    """A socket of datagrams."""

    def __init__(self, listener: Listener, sock: socket.socket, counts: Counts, message_bytes: int) -> None:
        self.listener = listener
        self.socket = sock
        self.counts = counts
        self._most = message_bytes
        self._bulk = Bulk(sock, message_bytes)
        self._dropped = dropped(sock) or 0
        self._peers: dict[bytes, str] = {b"": ""}

    def read(self, now_us: int) -> list[Message]:
        """Messages that have come, as many as one turn allows."""
        out: list[Message] = []
        counts, transport, allowed = self.counts, self.listener.transport, self.listener.allowed.allowed
        peers, most, read = self._peers, self._most, 0
        while read < TURN:
            try:
                found = self._bulk.read()
            except BlockingIOError:
                break
            except OSError as error:
                counts.add("broken", 1, now_us, error.strerror or str(error))
                break
            read += len(found)
            for address, data, length in found:
                peer = peers.get(address)
                if peer is None:
                    peer = self._learn(address)
                if not allowed(peer):
                    counts.add("sender", 1, now_us, peer)
                    continue
                if length > most:
                    counts.add("truncated", 1, now_us, peer)
                    data += CUT % (length - most)
                if not data.strip(b"\r\n\0"):
                    counts.empty += 1
                    continue
                counts.bytes += len(data)
                out.append(Message(peer, transport, now_us, data))
        counts.messages += len(out)
        return out

    def count_dropped(self, now_us: int) -> None:
        """Ask the kernel what it has dropped since it was asked last."""
        total = dropped(self.socket)
        if total is not None:
            self.counts.add("kernel", (total - self._dropped) % _WRAP, now_us)
            self._dropped = total

    def _learn(self, address: bytes) -> str:
        if len(self._peers) >= _REMEMBERED:
            self._peers.clear()
        peer = self._peers[address] = plain(address)
        return peer
