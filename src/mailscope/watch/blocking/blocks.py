"""Which networks are blocked, why and until when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Final

Network = IPv4Network | IPv6Network
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
# Nobody's client address; blocking them would at best do nothing.
NEVER: Final[tuple[Network, ...]] = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4",
        "::/127", "fe80::/10", "ff00::/8",
    )
)  # fmt: skip
# RFC 1918, RFC 6598, RFC 4193: inside a site, or behind a provider's translation.
PRIVATE: Final[tuple[Network, ...]] = tuple(
    ip_network(each)
    for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)


@dataclass(frozen=True)
class Offence:
    """A finding that tells of an attacker.  ``address``: an address or a network, as found."""

    finding: str
    detection: str
    address: str
    last_time: datetime
    episodes: int = 1


@dataclass(frozen=True)
class Rules:
    """For how long is blocked, and who never is; ``widest``: shortest prefix by IP version."""

    first: timedelta
    again: timedelta
    allowed: tuple[Network, ...]
    widest: Mapping[int, int]
    most: int


@dataclass(frozen=True)
class Block:
    """A network that is blocked; ``until`` is naive UTC."""

    network: Network
    until: datetime
    detections: tuple[str, ...]
    findings: tuple[str, ...]


def network_of(text: str) -> Network | None:
    """A network from an address or CIDR, IPv4 within IPv6 as the former; None for anything else."""
    try:
        found = ip_network(text, strict=False)
    except ValueError:
        return None
    if isinstance(found, IPv6Network) and found.subnet_of(_MAPPED):
        return IPv4Network((int(found.network_address) & 0xFFFFFFFF, found.prefixlen - 96))
    return found


def blocked(offences: Iterable[Offence], rules: Rules, now: datetime) -> list[Block]:
    """The blocks now, in order of address, none within another; where too many, those that last longest."""
    found: dict[Network, list[Offence]] = {}
    for offence in offences:
        network = network_of(offence.address)
        if network is not None and network.prefixlen >= rules.widest[network.version]:
            found.setdefault(network, []).append(offence)
    blocks = [
        each for network, told in found.items() if (each := _block(network, told, rules, now)) is not None
    ]
    return _fewest([piece for each in _apart(blocks) for piece in _spared(each, rules.allowed)], rules.most)


def _block(network: Network, told: Sequence[Offence], rules: Rules, now: datetime) -> Block | None:
    last = min(max(each.last_time for each in told), now)
    repeated = len({each.finding for each in told}) > 1 or any(each.episodes > 1 for each in told)
    until = last + (rules.again if repeated else rules.first)
    if until <= now:
        return None
    detections = tuple(sorted({each.detection for each in told}))
    return Block(network, until, detections, tuple(sorted({each.finding for each in told})))


def _apart(blocks: list[Block]) -> Iterator[Block]:
    """Without those that lie within another: when the wider one ends, the next list has them."""
    wide: Block | None = None
    # In this order a network comes right before all that it holds.
    for each in sorted(blocks, key=_place):
        if (
            wide is not None
            and wide.network.version == each.network.version
            and _within(each.network, wide.network)
        ):
            wide = replace(
                wide,
                detections=tuple(sorted({*wide.detections, *each.detections})),
                findings=tuple(sorted({*wide.findings, *each.findings})),
            )
            continue
        if wide is not None:
            yield wide
        wide = each
    if wide is not None:
        yield wide


def _spared(block: Block, allowed: Sequence[Network]) -> Iterator[Block]:
    """What is left of a block without the networks that are allowed."""
    pieces: list[Network] = [block.network]
    for spared in allowed:
        if spared.version != block.network.version or not spared.overlaps(block.network):
            continue
        pieces = [left for piece in pieces for left in _without(piece, spared)]
    for piece in sorted(collapse_addresses(pieces)):  # type: ignore[type-var]
        yield replace(block, network=piece)


def _without(piece: Network, spared: Network) -> Iterator[Network]:
    if _within(piece, spared):
        return
    if _within(spared, piece):
        yield from piece.address_exclude(spared)  # type: ignore[arg-type]
    else:
        yield piece


def _within(inner: Network, outer: Network) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def _fewest(blocks: list[Block], most: int) -> list[Block]:
    kept = sorted(blocks, key=lambda each: (each.until, _place(each)), reverse=True)[:most]
    return sorted(kept, key=_place)


def _place(block: Block) -> tuple[int, int, int]:
    network = block.network
    return network.version, int(network.network_address), network.prefixlen
