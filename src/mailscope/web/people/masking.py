"""Addresses of other domains, hidden in any text: of a page, of JSON, of a raw line, of a link.

The domain stays, as it tells which host refused or sent; who it was does not.  What is hidden is all that
stands before an ``@``, also as a page, JSON or a link spell it, up to what cannot be part of a local part
(RFC 5321, section 4.1.2): rather too much than too little.  It takes time in proportion to the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

HIDDEN: Final = "***"
_AT: Final = re.compile(r"@|%40|&#64;|&#x40;|&commat;|\\u0040", re.IGNORECASE)
_DOMAIN: Final = re.compile(r"[^\s<>\"'(),:;\[\]@=?&/\\%{}|`*#]*")
_ENDS_BEFORE: Final = frozenset(' \t\r\n\f\v\0<>"(),:;[]@=?')
# Parts of a local part as HTML spells them.
_ENTITY: Final = re.compile(r"&(?:amp|apos|#39|#x27|#43|#x2b);\Z", re.IGNORECASE)
_LONGEST_ENTITY: Final = 7
# A quoted local part, as it is and as HTML and JSON spell it.
_QUOTES: Final = ('\\"', '"', "&#34;", "&quot;")
_LONGEST_QUOTED: Final = 1_000


class Masking:
    """``domains``: whose addresses stay as they are; those of hosts in them are not theirs.

    ``shown``: other domains that stay, without their local parts (None: all).
    """

    def __init__(self, domains: Iterable[str], shown: Iterable[str] | None = None) -> None:
        self._domains = frozenset(_plain(domain) for domain in domains)
        self._shown = None if shown is None else frozenset(_plain(domain) for domain in shown)

    def strict(self, *shown: str) -> Masking:
        """One that hides other domains, too, but for these."""
        return Masking(self._domains, shown)

    def ours(self, domain: str) -> bool:
        """Whether a domain is one of them."""
        return _plain(domain) in self._domains

    def address(self, address: str | None) -> bool:
        """Whether an address is of one of them."""
        return bool(address) and self.ours(str(address).strip("<>").rpartition("@")[2])

    def text(self, text: str) -> str:
        """A text in which the addresses of others are hidden."""
        return "".join(self._pieces(text))

    def _pieces(self, text: str) -> Iterator[str]:
        told = 0
        for found in _AT.finditer(text):
            if found.start() < told:
                continue
            domain = _DOMAIN.match(text, found.end())
            assert domain is not None
            begin = _begin(text, told, found.start())
            yield text[told:begin]
            yield text[begin : found.start()] if self.ours(domain[0]) else HIDDEN
            hidden = self._shown is not None and _plain(domain[0]) not in self._shown | self._domains
            yield found[0] + (HIDDEN if hidden else domain[0])
            told = domain.end()
        yield text[told:]


def _begin(text: str, least: int, end: int) -> int:
    """Where the local part begins that ends there."""
    for quote in _QUOTES:
        if text.endswith(quote, least, end):
            opened = text.rfind(quote, max(least, end - _LONGEST_QUOTED), end - len(quote))
            return opened if opened >= 0 else end
    begin = end
    while begin > least:
        if text[begin - 1] not in _ENDS_BEFORE:
            begin -= 1
            continue
        entity = _ENTITY.search(text, max(least, begin - _LONGEST_ENTITY), begin)
        if entity is None:
            break
        begin = entity.start()
    return begin


def _plain(domain: str) -> str:
    return domain.strip().rstrip(".").lower()
