"""What is asked about: its kind, and how lines about it are told.

192.0.2.66   2001:db8::66          ip
192.0.2.0/24   2001:db8::/32       network
alice@example.org                  address, which may be a login name as well
example.org   @example.org         domain: with its hosts and subdomains, or addresses at exactly this one
alice                              user: a login or account name
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from mailscope.trails.search.query import Query, read_query
from mailscope.vocabulary.errors import UsageError

KINDS: Final = ("ip", "network", "address", "user", "domain")
WHERE: Final = "SUBJECT"
_DOMAIN: Final = re.compile(r"@?[\w-]{1,63}(?:\.[\w-]{1,63})+\.?")
# A name is a word: not a part of a longer one, of an address or of a host's name.
_BEFORE: Final = rb"(?<![A-Za-z0-9._@+\x80-\xff-])"
_AFTER: Final = rb"(?![A-Za-z0-9_@+\x80-\xff-]|\.[A-Za-z0-9])"


@dataclass(frozen=True)
class Subject:
    """``query``: how raw lines that mention it are found (None for a network)."""

    text: str
    kind: str
    query: Query | None = None
    ip: IPv4Address | IPv6Address | None = None
    network: IPv4Network | IPv6Network | None = None

    def nature(self) -> list[str]:
        """What can be said of it without asking anybody."""
        if self.ip is not None:
            words = [f"IPv{self.ip.version} address", _scope(self.ip)]
            around = ip_network((self.ip, 24 if self.ip.version == 4 else 64), strict=False)
            return [*words, f"in {around}"]
        if self.network is not None:
            return [
                f"IPv{self.network.version} network", _scope(self.network),
                f"{self.network.num_addresses:,} addresses",
            ]  # fmt: skip
        return [{"address": "mail address", "user": "user", "domain": "domain"}[self.kind]]


def read_subject(text: str, kind: str | None = None) -> Subject:
    """What some words mean.  Raises UsageError where they can mean nothing of the kind."""
    words = text.strip()
    if not words or any(ord(char) < 0x20 for char in words):
        raise UsageError(f"cannot tell what '{text}' is", WHERE, f"give one of: {', '.join(KINDS)}")
    kind = kind or _guess(words)
    if kind == "network":
        try:
            return Subject(words, kind, network=ip_network(words.strip("[]"), strict=False))
        except ValueError:
            raise UsageError(
                f"'{words}' is not a network", WHERE, "such as 192.0.2.0/24 or 2001:db8::/32"
            ) from None
    if kind == "user":
        needle = words.encode("utf-8", "surrogateescape")
        exact = re.compile(_BEFORE + re.escape(needle) + _AFTER, re.IGNORECASE)
        return Subject(words, kind, Query(words, ("user",), (needle,), True, exact))
    query = read_query(words, kind)
    return Subject(words, kind, query, ip=ip_address(words.strip("[]")) if kind == "ip" else None)


def _guess(words: str) -> str:
    bare = words.strip("[]")
    for kind, read in (("ip", ip_address), ("network", ip_network)):
        try:
            if kind == "ip" or "/" in bare:
                read(bare) if kind == "ip" else ip_network(bare, strict=False)
                return kind
        except ValueError:
            continue
    if "@" in words[1:]:
        return "address"
    return "domain" if _DOMAIN.fullmatch(words) else "user"


def _scope(of: IPv4Address | IPv6Address | IPv4Network | IPv6Network) -> str:
    if of.is_loopback:
        return "loopback"
    if of.is_link_local:
        return "link-local"
    if of.is_multicast:
        return "multicast"
    return "public" if of.is_global else "private or reserved"
