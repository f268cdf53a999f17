"""A syslog message as it came."""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

Transport = Literal["udp", "tcp", "tls", "unix-dgram", "unix-stream"]

# Facility * 8 + severity, at most 23 * 8 + 7 (RFC 5424 section 6.2.1); zeros in front are seen in practice.
PRI: Final = rb"<(?:0{0,2}[0-9]|0?[1-9][0-9]|1[0-8][0-9]|19[01])>"
# user.notice, for a message that has none (RFC 3164 section 4.3.3).
DEFAULT_PRI: Final = 13
_PRI: Final = re.compile(PRI)


class Message(NamedTuple):
    """One message with its framing taken off.

    ``peer``: the sender's address, empty for a program of this host; ``received_us``: when it was read,
    in microseconds since 1970 UTC; ``data``: the bytes as sent, control characters and all, with a mark at
    the end where they were cut.
    """

    peer: str
    transport: Transport
    received_us: int
    data: bytes

    @property
    def pri(self) -> int | None:
        """Facility * 8 + severity; None where the message does not begin with a valid one."""
        found = _PRI.match(self.data)
        return int(found[0][1:-1]) if found else None
