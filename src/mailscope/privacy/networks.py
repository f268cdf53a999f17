"""Pseudonyms of network addresses: keyed, the same each time, and networks stay together.

    IPv4   240.0.0.0/4, which nobody has (RFC 1112 section 4): 28 bits; private ones stay in their network
    IPv6   2001:db8::/32, the documentation prefix (RFC 3849)

Two addresses whose first bits are alike have pseudonyms whose first bits are alike (as in Xu, Fan, Ammar,
Moon: "Prefix-preserving IP address anonymization", 2002), but for IPv4's first 16 bits, which become 12:
so of 10,000 addresses two share a pseudonym with a chance of about one in five.  Loopback, unspecified and
broadcast addresses stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

# What a part of an address becomes: any whole number, always the same one for the same words.
Draw = Callable[[str], int]

_PRIVATE4: Final = tuple(
    map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"))
)
_PRIVATE6: Final = (IPv6Network("fc00::/7"), IPv6Network("fe80::/10"))
_RESERVED4: Final = 0xF0000000
_DOCUMENTATION: Final = 0x20010DB8


def pseudonym(address: IPv4Address | IPv6Address, draw: Draw) -> str:
    """The pseudonym of an address."""
    if address.is_loopback or address.is_unspecified or address.is_multicast:
        return str(address)
    if isinstance(address, IPv4Address):
        return str(IPv4Address(_four(address, draw)))
    if address.ipv4_mapped is not None:
        return f"::ffff:{pseudonym(address.ipv4_mapped, draw)}"
    return str(IPv6Address(_six(address, draw)))


def truncated(address: IPv4Address | IPv6Address) -> str:
    """The address of its /24 network (IPv6: /48)."""
    if address.is_loopback or address.is_unspecified or address.is_multicast:
        return str(address)
    if isinstance(address, IPv4Address):
        return str(IPv4Address(int(address) & 0xFFFFFF00))
    if address.ipv4_mapped is not None:
        return f"::ffff:{truncated(address.ipv4_mapped)}"
    return str(IPv6Address(int(address) >> 80 << 80))


def _four(address: IPv4Address, draw: Draw) -> int:
    number = int(address)
    if number == 0xFFFFFFFF:
        return number
    for network in _PRIVATE4:
        if address in network:
            return _from_bit(number, 32, network.prefixlen, draw)
    first = draw(f"4:{number >> 16}") & 0xFFF
    return _RESERVED4 | first << 16 | _from_bit(number, 32, 16, draw) & 0xFFFF


def _six(address: IPv6Address, draw: Draw) -> int:
    number = int(address)
    for network in _PRIVATE6:
        if address in network:
            return _from_bit(number, 128, network.prefixlen, draw)
    # A site (/48) becomes 32 bits, its networks 16, a host 48: there is room for each of them.
    site, net = number >> 80, number >> 64
    return (
        _DOCUMENTATION << 96
        | (draw(f"6s:{site}") & 0xFFFFFFFF) << 64
        | (_from_bit(net, 64, 48, draw) & 0xFFFF) << 48
        | draw(f"6h:{number}") & 0xFFFFFFFFFFFF
    )


def _from_bit(number: int, bits: int, first: int, draw: Draw) -> int:
    """A number with each bit from the ``first`` on turned, or not, as the bits before it tell."""
    out = number
    for place in range(first, bits):
        shift = bits - 1 - place
        if draw(f"{bits}:{place}:{number >> shift + 1}") & 1:
            out ^= 1 << shift
    return out
