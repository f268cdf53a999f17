"""Blocklists as other programs read them.  Each says why and until when, where its form has comments.

Nothing of a log gets into them but addresses, which were read as such, and the names of detections.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from mailscope.watch.blocking.blocks import Block

Writer = Callable[[Sequence[Block], datetime], Iterator[str]]
HEAD: Final = "# Made by mailscope blocklist; it is made anew, do not edit."
# What ipset and nftables take at most is more; longer blocks are in the next list again.
LONGEST_S: Final = 2_000_000


def nft(blocks: Sequence[Block], now: datetime) -> Iterator[str]:
    """A file for ``nft -f``: a table of its own with two sets; elements go when their time is over.

    The file is taken whole or not at all, and takes the place of the list before.
    """
    yield from ("#!/usr/sbin/nft -f", HEAD, "add table inet mailscope")
    for version in (4, 6):
        kind = f"{{ type ipv{version}_addr; flags interval,timeout; }}"
        yield f"add set inet mailscope blocked{version} {kind}"
        yield f"flush set inet mailscope blocked{version}"
    yield "add chain inet mailscope input { type filter hook input priority -10; policy accept; }"
    yield "flush chain inet mailscope input"
    yield "add rule inet mailscope input ip saddr @blocked4 counter drop"
    yield "add rule inet mailscope input ip6 saddr @blocked6 counter drop"
    for block in blocks:
        yield f"# {_why(block)}"
        yield (
            f"add element inet mailscope blocked{block.network.version} "
            f"{{ {_short(block)} timeout {_left_s(block, now)}s }}"
        )


def ipset(blocks: Sequence[Block], now: datetime) -> Iterator[str]:
    """A file for ``ipset restore``: the sets mailscope4 and mailscope6, filled beside and then swapped."""
    yield HEAD
    for version, family in ((4, "inet"), (6, "inet6")):
        name = f"mailscope{version}"
        size = max(65_536, len(blocks))
        for made in (name, f"{name}-new"):
            yield f"create {made} hash:net family {family} timeout {LONGEST_S} maxelem {size} -exist"
        yield f"flush {name}-new"
        for block in blocks:
            if block.network.version == version:
                yield f"# {_why(block)}"
                yield f"add {name}-new {_short(block)} timeout {_left_s(block, now)}"
        yield from (f"swap {name}-new {name}", f"destroy {name}-new")


def fail2ban(blocks: Sequence[Block], now: datetime) -> Iterator[str]:
    """Commands for ``fail2ban-client -i``: bans of the jail mailscope (packaging/fail2ban)."""
    for block in blocks:
        yield f"set mailscope banip {_short(block)}"


def postfix_cidr(blocks: Sequence[Block], now: datetime) -> Iterator[str]:
    """A table for ``check_client_access cidr:FILE``."""
    yield HEAD
    for block in blocks:
        yield f"# {_why(block)}"
        yield f"{block.network} REJECT blocked for a while after {_names(block)}"


def hosts(blocks: Sequence[Block], now: datetime) -> Iterator[str]:
    """Lines for /etc/hosts.deny (hosts_access(5))."""
    yield HEAD
    for block in blocks:
        yield f"# {_why(block)}"
        network = block.network
        if network.prefixlen == network.max_prefixlen:
            address = str(network.network_address)
            yield f"ALL: {address}" if network.version == 4 else f"ALL: [{address}]"
        elif network.version == 4:
            yield f"ALL: {network.with_netmask}"
        else:
            yield f"ALL: [{network.network_address}]/{network.prefixlen}"


def as_json(blocks: Sequence[Block], now: datetime) -> Iterator[str]:
    """One object per line."""
    for block in blocks:
        told = {
            "network": str(block.network), "until": _until(block), "detections": list(block.detections),
            "findings": list(block.findings),
        }  # fmt: skip
        yield json.dumps(told)


FORMATS: Final[Mapping[str, Writer]] = {
    "nft": nft,
    "ipset": ipset,
    "fail2ban": fail2ban,
    "postfix-cidr": postfix_cidr,
    "hosts": hosts,
    "json": as_json,
}


def _short(block: Block) -> str:
    """An address where it is one, otherwise the network."""
    network = block.network
    return str(network.network_address if network.prefixlen == network.max_prefixlen else network)


def _left_s(block: Block, now: datetime) -> int:
    return max(1, min(LONGEST_S, round((block.until - now).total_seconds())))


def _names(block: Block) -> str:
    return ", ".join(each.replace("_", " ") for each in block.detections)


def _why(block: Block) -> str:
    return f"{_short(block)}: {_names(block)}, until {_until(block)}"


def _until(block: Block) -> str:
    return block.until.isoformat(timespec="seconds") + "Z"
