"""Addresses of other domains, hidden in any text: of a page, of JSON, of a raw line, of a link.

The domain stays, as it tells which host refused or sent; who it was does not.  What is masked is the
run of characters before an ``@`` (or ``%40`` in a link): rather too much than too little.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

HIDDEN: Final = "***"
# In HTML and JSON, too: an entity, an escape or a percent sign before the @ is part of what is hidden.
_LOCAL: Final = (
    r"(?:\"(?:[^\"\\\n]|\\.){1,200}\"(?=@)|&quot;[^<>&\n]{1,200}&quot;(?=@)|[^\s<>\"'(),:;\[\]@=?]+)"
)
_AT: Final = r"(?:@|%40|&#64;|\\u0040)"
_DOMAIN: Final = r"[^\s<>\"'(),:;\[\]@=?&/\\%{}|`*#]+"
_ADDRESS: Final = re.compile(rf"({_LOCAL})({_AT})({_DOMAIN})?", re.IGNORECASE)


class Masking:
    """``domains``: whose addresses stay as they are; those of hosts in them are not theirs."""

    def __init__(self, domains: Sequence[str]) -> None:
        self._domains = frozenset(_plain(domain) for domain in domains)

    def ours(self, domain: str) -> bool:
        """Whether a domain is one of them."""
        return _plain(domain) in self._domains

    def address(self, address: str | None) -> bool:
        """Whether an address is of one of them."""
        return bool(address) and self.ours(str(address).strip("<>").rpartition("@")[2])

    def text(self, text: str) -> str:
        """A text in which the addresses of others are hidden."""
        if "@" not in text and "%40" not in text and "&#64;" not in text and "u0040" not in text:
            return text
        return _ADDRESS.sub(self._hidden, text)

    def _hidden(self, found: re.Match[str]) -> str:
        domain = found[3] or ""
        return found[0] if self.ours(domain) else f"{HIDDEN}{found[2]}{domain}"


def _plain(domain: str) -> str:
    return domain.strip().rstrip(".").lower()
