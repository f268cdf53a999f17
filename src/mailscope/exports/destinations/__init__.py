"""Servers that events can be sent to, one file per protocol.

In: encoded events.  Out: counts of what each server has taken.  Nothing is sent but to the address that a
person named.
"""

from __future__ import annotations

from pathlib import Path

from mailscope.exports.destinations.address import Address
from mailscope.exports.destinations.destination import Destination


def connect(
    address: Address,
    *,
    timeout_s: float,
    retry_for_s: float,
    credentials: Path | None = None,
    ca_file: Path | None = None,
) -> Destination:
    """The destination for an address; nothing is sent yet.

    In: seconds that one request may take, and that one piece is tried for; files with credentials and
    authorities. Raises InputError where one of those files cannot be used.
    """
    # Each is imported only where it is needed: TLS and HTTP take a while to load.
    if address.protocol == "udp":
        from mailscope.exports.destinations.gelf_udp import GelfUdp

        return GelfUdp(address, timeout_s, retry_for_s)
    if address.protocol == "tcp":
        from mailscope.exports.destinations.gelf_tcp import GelfTcp

        return GelfTcp(address, timeout_s, retry_for_s)
    from mailscope.exports.destinations.credentials import authorization
    from mailscope.exports.destinations.elasticsearch import Elasticsearch
    from mailscope.exports.destinations.otlp import Otlp
    from mailscope.exports.destinations.posting import trusting

    kind = Elasticsearch if address.form == "ecs" else Otlp
    context = trusting(ca_file) if address.protocol == "https" else None
    return kind(address, timeout_s, retry_for_s, authorization(credentials), context)
