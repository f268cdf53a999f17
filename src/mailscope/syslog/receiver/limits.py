"""What the receiver puts up with: sizes, numbers and times, and who may send."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from mailscope.vocabulary.errors import UsageError

Network = IPv4Network | IPv6Network
_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one receiver, all of its sockets together unless said otherwise.

    ``message_bytes``: of a message that is longer, only so much is kept; ``connections``, ``per_address``:
    open at once; ``idle_s``: a connection on which nothing came for so long is closed; ``message_s``: so is
    one whose message did not end within this time; ``handshake_s``: the same for TLS; ``queue_bytes``:
    lines that wait to be taken, before senders are made to wait; ``unfinished_bytes``: of messages whose
    end has not come yet.
    """

    message_bytes: int = 64 << 10
    connections: int = 1000
    per_address: int = 500
    idle_s: float = 3600.0
    message_s: float = 30.0
    handshake_s: float = 10.0
    queue_bytes: int = 64 << 20
    unfinished_bytes: int = 32 << 20

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) <= 0:
                raise UsageError(f"{name} must be more than 0", "syslog receiver")
        if self.message_bytes < 480:
            # RFC 5424 section 6.1: every receiver must take so much.
            raise UsageError("message_bytes must be at least 480", "syslog receiver")


class Senders:
    """Whose messages are taken: hosts of some networks, or everyone's where none is named."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        """Networks as ``192.0.2.0/24`` or ``2001:db8::/32``, or addresses.  Raises UsageError."""
        self._networks: list[Network] = []
        for network in networks:
            try:
                self._networks.append(ip_network(network))
            except ValueError as error:
                what_to_do = "write a network as 192.0.2.0/24 or 2001:db8::/32"
                raise UsageError(f"not a network: {error}", "syslog receiver", what_to_do) from error
        self._known: dict[str, bool] = {}

    def allowed(self, address: str) -> bool:
        """Whether this address may send; programs of this host, which have none, always may."""
        if not self._networks or not address:
            return True
        known = self._known.get(address)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            sender = ip_address(address.partition("%")[0])
            known = self._known[address] = any(sender in network for network in self._networks)
        return known
