"""Logins as detections count them: who, from where, at which service."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

import polars as pl

from mailscope.watch.detection import Site
from mailscope.watch.seen import Seen

FAILED: Final = "login_failed"
SUCCEEDED: Final = "login_succeeded"
FIELDS: Final = ("user", "sasl_user", "client_ip", "client_host", "mechanism", "reason", "target_user")
NEEDS: Final[Mapping[str, tuple[str, ...]]] = {FAILED: FIELDS}


def failures(seen: Seen, site: Site) -> pl.DataFrame:
    """Failed logins of clients: ``time``, ``order``, ``host``, ``service``, ``client_ip``, ``account`` (in
    lower case; null where the log names none).  Clients that we trust, and our own
    logins at relays, are left out.
    """
    return untrusted(_told(seen.events((FAILED,), FIELDS)), site)


def _told(rows: pl.DataFrame) -> pl.DataFrame:
    if not len(rows):
        return rows
    account = pl.coalesce("user", "sasl_user").str.to_lowercase().str.strip_chars()
    return rows.select(
        "time", "order", "host", "service", "client_ip", account.replace("", None).alias("account")
    ).filter(pl.col("client_ip").is_not_null())


def untrusted(rows: pl.DataFrame, site: Site) -> pl.DataFrame:
    """Rows whose ``client_ip`` is not of a network that we trust."""
    if not len(rows):
        return rows
    trusted = [each for each in rows["client_ip"].unique() if site.trusts(each)]
    return rows.filter(~pl.col("client_ip").is_in(trusted)) if trusted else rows


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
