"""What a detection is.  Each stands in a file of its own under ``detections/`` and in ``registry.py``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, Protocol

import polars as pl

from mailscope.vocabulary.settings.settings import Settings
from mailscope.watch.countries import Countries, countries
from mailscope.watch.finding import Signal
from mailscope.watch.seen import Seen
from mailscope.watch.waiting import Latest

# An incident is over when its condition has not held for so long, unless its detection says otherwise ...
QUIET_S: Final = 1_800
# ... and the same incident goes on where it comes back so soon.
AGAIN_S: Final = 6 * 3_600

Frames = Mapping[str, pl.DataFrame]
Network = IPv4Network | IPv6Network


def _nowhere(address: str) -> str | None:
    return None


@dataclass(frozen=True)
class Site:
    """What is ours: ``domains`` that we take mail for (lower case), ``networks`` of ours, and ``trusted``,
    networks (ours among them) whose clients are never told of as attackers.  ``country``: of an address,
    where a table of them is given.  ``queue``: what the queue itself held, where somebody looks.
    """

    domains: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    trusted: tuple[Network, ...] = ()
    country: Countries = field(default=_nowhere, compare=False)
    queue: Latest = field(default_factory=Latest, compare=False)

    @classmethod
    def of(cls, settings: Settings, queue: Latest | None = None) -> Site:
        """What the settings say of it."""
        networks = tuple(ip_network(each) for each in settings.networks)
        more = tuple(ip_network(each) for each in settings.detections.trusted_networks)
        domains = frozenset(each.lower() for each in settings.domains)
        table = settings.detections.countries
        country = countries(table) if table else _nowhere
        return cls(domains, networks, networks + more, country, queue or Latest())

    def trusts(self, address: str | None) -> bool:
        """Whether an address is of a trusted network."""
        return _within(address, self.trusted)

    def owns(self, address: str | None) -> bool:
        """Whether an address is of a network of ours."""
        return _within(address, self.networks)


@lru_cache(maxsize=65_536)
def _within(address: str | None, networks: tuple[Network, ...]) -> bool:
    try:
        found = ip_address(address or "")
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in each for each in networks)


@dataclass(frozen=True)
class About:
    """What a person must know of a detection.  ``commands`` are templates over the finding's subject."""

    name: str
    sees: str
    why: str
    false_positives: str
    advice: str
    commands: tuple[str, ...] = ()
    quiet_s: int = QUIET_S
    again_s: int = AGAIN_S
    # So many open incidents of it at once are told as one.
    most_apart: int = 20
    # Detections whose incidents, where they are about the same, tell of it already.
    part_of: tuple[str, ...] = ()
    # Its subject is an attacker whom a firewall may keep out.
    blockable: bool = False


class Detection(Protocol):
    """Looks at batch after batch and says where its condition holds.

    It may be given hours of a log at once or less than a second; what it finds must not depend on that
    (but for incidents that hang on a limit within one bucket of a window).  All that it remembers is bounded,
    and given by ``state``.
    """

    @property
    def about(self) -> About:
        """What is told of it."""
        ...

    @property
    def needs(self) -> Mapping[str, tuple[str, ...]]:
        """The fields that it looks at, by kind of event."""
        ...

    def see(self, seen: Seen) -> Iterable[Signal]:
        """Look at a batch."""
        ...

    def state(self) -> Frames:
        """What it remembers, for the next start."""
        ...

    def resume(self, state: Frames) -> None:
        """Remember that; it may be of an older version, or empty."""
        ...
