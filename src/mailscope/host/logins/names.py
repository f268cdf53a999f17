"""Names of the addresses in records, asked of the DNS, each once."""

from __future__ import annotations

import socket
from functools import lru_cache

from mailscope.host.layouts.addresses import words


@lru_cache(maxsize=1 << 16)
def looked_up(address: bytes) -> str | None:
    """The name of an address, or its figures where it has none; None where even that fails."""
    try:
        return socket.getnameinfo((words(address), 0), 0)[0]
    except (OSError, UnicodeError):
        return None
