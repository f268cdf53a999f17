"""Networks that addresses belong to."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address, ip_network
from socket import inet_aton, inet_ntoa
from typing import Final

import polars as pl

# No leading zeros: some read such a number as an octal one.
PART: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
DOTTED: Final = re.compile(rf"{PART}(?:\.{PART}){{3}}")


def with_network(rows: pl.DataFrame, prefix_v4: int, prefix_v6: int) -> pl.DataFrame:
    """Rows with ``network``: that of ``client_ip``, in CIDR form; null where it is no address."""
    addresses = rows["client_ip"].unique()
    told = [network(each, prefix_v4, prefix_v6) if each else None for each in addresses]
    table = pl.DataFrame({"client_ip": addresses, "network": pl.Series(told, dtype=pl.String)})
    return rows.join(table, on="client_ip", how="left", maintain_order="left")


@lru_cache(maxsize=65_536)
def network(address: str, prefix_v4: int, prefix_v6: int) -> str | None:
    """The network of an address, such as 192.0.2.0/24; of an IPv4 address within IPv6, that of the former."""
    try:
        # Most are plain IPv4 addresses, for which the library's objects would be ten times as slow.
        packed = int.from_bytes(inet_aton(address)) if DOTTED.fullmatch(address) else None
        if packed is not None:
            shift = 32 - prefix_v4
            return f"{inet_ntoa((packed >> shift << shift).to_bytes(4))}/{prefix_v4}"
        found = ip_address(address)
    except (ValueError, OSError):
        return None
    found = getattr(found, "ipv4_mapped", None) or found
    return str(ip_network((found, prefix_v4 if found.version == 4 else prefix_v6), strict=False))
