"""The address in a record of a login: four 32-bit words in network order, an IPv4 address in the first.

Nothing says which of the two it is.  As util-linux's last.c has it: three empty words, or an IPv4 address in
IPv6's form, mean IPv4, and whatever else is IPv6.
"""

from __future__ import annotations

import socket
from typing import Final

NONE: Final = bytes(16)
_MAPPED: Final = bytes(10) + b"\xff\xff"


def words(address: bytes) -> str:
    """The address as text; 0.0.0.0 where there is none."""
    if address.startswith(_MAPPED):
        return socket.inet_ntop(socket.AF_INET, address[12:16])
    if not any(address[4:]):
        return socket.inet_ntop(socket.AF_INET, address[:4])
    return socket.inet_ntop(socket.AF_INET6, address)


def given(address: bytes) -> str | None:
    """The address as text; None where there is none."""
    return words(address) if address != NONE else None
