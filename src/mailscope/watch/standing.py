"""What a reply says of our standing with who gave it: causes that mean us, not the single message."""

from __future__ import annotations

from typing import Final

# They do not want mail of this host.
BLOCKED: Final = (
    "ip_blocklisted",
    "ip_blocked",
    "poor_reputation",
    "dynamic_ip",
    "no_reverse_dns",
    "helo_refused",
)
# They want less of it.
THROTTLED: Final = ("rate_limited", "too_many_connections")
# What spam is refused for, beside addresses that do not exist.
SPAM: Final = (*BLOCKED, *THROTTLED, "domain_blocklisted", "content_refused", "virus", "sender_blocked")
