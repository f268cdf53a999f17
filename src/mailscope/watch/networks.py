"""Networks that addresses belong to."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address, ip_network

import polars as pl


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
        found = ip_address(address)
    except ValueError:
        return None
    found = getattr(found, "ipv4_mapped", None) or found
    return str(ip_network((found, prefix_v4 if found.version == 4 else prefix_v6), strict=False))
