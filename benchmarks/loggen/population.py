"""Who writes to whom: domains, people, servers and clients, some used far more than others.

A population is drawn once from the seed. Uneven use comes from pools: long lists in which a popular
member stands many times (about 1/rank), so that one random index is one draw.
"""

from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

T = TypeVar("T")

POOL = 1 << 16
OWN_DOMAINS = ("example.org", "example.com", "example.net")  # lmtp, virtual, local
FIRST_NAMES = [
    "alice",
    "bob",
    "carol",
    "dave",
    "erin",
    "frank",
    "grace",
    "heidi",
    "ivan",
    "judy",
    "karl",
    "laura",
    "mallory",
    "nina",
    "olaf",
    "peggy",
    "quentin",
    "rupert",
    "sybil",
    "trent",
    "ursula",
    "victor",
    "walter",
    "xenia",
    "yves",
    "zoe",
    "anna",
    "ben",
    "clara",
    "daniel",
    "eva",
    "felix",
    "greta",
    "hugo",
    "ida",
    "jonas",
    "kim",
    "lena",
    "max",
    "nora",
    "otto",
    "paula",
    "rosa",
    "simon",
    "tina",
    "uwe",
    "vera",
    "willi",
]
LAST_NAMES = [
    "adler",
    "baker",
    "clark",
    "dietrich",
    "evans",
    "fischer",
    "graham",
    "huber",
    "ibsen",
    "jones",
    "keller",
    "lang",
    "meyer",
    "novak",
    "olsen",
    "parker",
    "quinn",
    "richter",
    "smith",
    "taylor",
    "ulrich",
    "vogel",
    "weber",
    "young",
    "zimmer",
    "braun",
    "cooper",
    "duval",
    "engel",
    "foster",
    "garcia",
    "hansen",
    "ito",
    "jung",
    "kowalski",
    "lopez",
    "martin",
    "nilsson",
    "ortega",
    "petit",
]
DOMAIN_BEHAVIOURS = {"good": 0.86, "grey": 0.08, "dead": 0.02, "refused": 0.015, "full": 0.02, "nodns": 0.005}
ADVERTISED = ("newsletter", "news", "bounce", "noreply", "info", "service", "support", "orders")


@dataclass(slots=True)
class Server:
    """A mail server of another site, as this site names it in its log."""

    host: str
    ip: str
    text: str = field(init=False)

    def __post_init__(self) -> None:
        """Join name and address as Postfix does."""
        self.text = f"{self.host}[{self.ip}]"


@dataclass(slots=True, eq=False)
class Domain:
    """Another site: its incoming servers, its outgoing servers, and how it treats our mail."""

    name: str
    behaviour: str
    exchangers: list[Server]
    outgoing: list[Server]
    encrypts: bool


def weighted_pool(rng: Random, members: list[T], exponent: float) -> list[T]:
    """Draw a pool in which member number n stands with a weight of 1 / (n + 1) ** exponent."""
    weights = [1 / (rank + 1) ** exponent for rank in range(len(members))]
    return rng.choices(members, weights, k=POOL)


def ipv4(rng: Random) -> str:
    """Draw an address: mostly of the benchmark network (RFC 2544), else of RFC 5737."""
    if rng.random() < 0.8:
        return f"198.{rng.randrange(18, 20)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"
    return f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randrange(1, 255)}"


def ipv6(rng: Random) -> str:
    """Draw an address of the documentation network (RFC 3849)."""
    return f"2001:db8:{rng.randrange(1, 4096):x}:{rng.randrange(256):x}::{rng.randrange(1, 65536):x}"


def address(rng: Random) -> str:
    """Draw an IPv4 or, less often, an IPv6 address."""
    return ipv6(rng) if rng.random() < 0.12 else ipv4(rng)


class Population:
    """Everybody whom the site has to do with."""

    def __init__(self, rng: Random, domains: int, people: int) -> None:
        behaviours = rng.choices(list(DOMAIN_BEHAVIOURS), list(DOMAIN_BEHAVIOURS.values()), k=domains)
        self.domains = [self._domain(rng, number, behaviours[number]) for number in range(domains)]
        domain_pool = weighted_pool(rng, self.domains, 0.95)
        self.own_people = [
            f"{rng.choice(FIRST_NAMES)}.{rng.choice(LAST_NAMES)}{number}@"
            f"{rng.choices(OWN_DOMAINS, (7, 2, 1))[0]}"
            for number in range(people // 10)
        ]
        their_domains = rng.choices(domain_pool, k=people)
        others = [(self._outside_address(rng, domain), domain) for domain in their_domains]
        self.own_pool = weighted_pool(rng, self.own_people, 0.8)
        self.outside_pool = weighted_pool(rng, others, 0.7)
        self.domain_pool = domain_pool
        self.bot_pool = weighted_pool(rng, [self._bot(rng) for _ in range(people // 4)], 0.6)
        self.home_pool = [
            f"{'unknown' if rng.random() < 0.2 else f'dyn-{n}.access.example.net'}[{address(rng)}]"
            for n in range(people // 20)
        ]
        self.size_pool = [min(int(rng.lognormvariate(9.6, 1.6)) + 600, 36_000_000) for _ in range(POOL)]

    @staticmethod
    def _domain(rng: Random, number: int, behaviour: str) -> Domain:
        name = f"d{number}.example.{('net', 'com', 'org')[number % 3]}"
        exchangers = [Server(f"mx{n}.{name}", address(rng)) for n in range(1, rng.choice((1, 1, 2, 3)) + 1)]
        outgoing = [Server(f"out-{n}.{name}", address(rng)) for n in range(1, rng.choice((1, 1, 2, 6)) + 1)]
        return Domain(name, "good" if number < 12 else behaviour, exchangers, outgoing, rng.random() < 0.85)

    @staticmethod
    def _outside_address(rng: Random, domain: Domain) -> str:
        if rng.random() < 0.2:
            return f"{rng.choice(ADVERTISED)}{rng.randrange(100)}@{domain.name}"
        return f"{rng.choice(FIRST_NAMES)}.{rng.choice(LAST_NAMES)}{rng.randrange(1000)}@{domain.name}"

    @staticmethod
    def _bot(rng: Random) -> str:
        ip = address(rng)
        if rng.random() < 0.55 or ":" in ip:
            return f"unknown[{ip}]"
        return f"host-{ip.replace('.', '-')}.dyn.d{rng.randrange(400)}.example.net[{ip}]"
