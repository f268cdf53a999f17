"""Which addresses are ours, as the world sees them."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from mailscope.intake.discovery.files import HostFiles
from mailscope.intake.discovery.main_cf import MainCf
from mailscope.vocabulary.settings.detections.dnsbl import DnsblListed as Settings

PARAMETERS: Final = ("inet_interfaces", "smtp_bind_address", "smtp_bind_address6", "proxy_interfaces")
_SEPARATOR: Final = re.compile(r"[\s,]+")
MAIN_CF: Final = "/etc/postfix/main.cf"
# Addresses and names that are looked up.
MOST: Final = 64


def subjects(settings: Settings) -> tuple[str, ...]:
    """Addresses and names that are looked up, each once."""
    found = (*interfaces(), *postfix(HostFiles(Path("/")))) if settings.discover else ()
    addresses = (*map(str, settings.addresses), *public(found))
    return tuple(dict.fromkeys((*addresses, *settings.names)))[:MOST]


def public(addresses: Iterable[str]) -> tuple[str, ...]:
    """Those that the world can reach: no private, loopback, link-local or documentation ones."""
    kept = []
    for each in addresses:
        try:
            address = ip_address(each.partition("%")[0])
        except ValueError:
            continue
        if address.is_global and not address.is_multicast:
            kept.append(str(address))
    return tuple(kept)


def interfaces() -> tuple[str, ...]:
    """The addresses of this host's network interfaces."""
    import psutil

    families = (socket.AF_INET, socket.AF_INET6)
    found = psutil.net_if_addrs()
    return tuple(each.address for name in found for each in found[name] if each.family in families)


def postfix(host: HostFiles) -> tuple[str, ...]:
    """The addresses that Postfix listens on, sends from, or is reached at through a proxy."""
    text = host.read(host.path(MAIN_CF), "Postfix")
    if text is None:
        return ()
    main_cf = MainCf(text)
    values = [main_cf.value(name) for name in PARAMETERS]
    words = [word.strip("[]") for value in values if value for word in _SEPARATOR.split(value)]
    return tuple(word for word in words if word)
