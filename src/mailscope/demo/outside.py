"""The other sites: providers with many people, and firms with few; what their servers answer."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from random import Random

from mailscope.demo.places import OWN_IP, SERVER_NETWORKS

Answer = tuple[str, str, str, bool]  # dsn, status, reason, whether a server was reached


@dataclass(frozen=True)
class Site:
    """Another site; its first server takes mail, all of them send it."""

    name: str
    servers: tuple[tuple[str, str], ...]  # name, address
    behaviour: str = "normal"  # normal, grey, dead, full
    people: int = 40
    encrypts: bool = True

    def server(self, number: int = 0) -> str:
        """Name a server as Postfix does."""
        return "{}[{}]".format(*self.servers[number % len(self.servers)])


PROVIDERS = (
    ("bigmail", 30, "US", 10),
    ("webpost", 16, "IE", 8),
    ("outmail", 12, "NL", 8),
    ("telco", 9, "IT", 3),
)
FIRMS = 110
BULK = ("news.shop", "deals.travel", "updates.social", "alerts.bank", "offers.store")
LISTS = ("lists.users-group", "lists.standards")
BACKSCATTER_NAMES = ("sales", "info", "office", "hr", "admin", "support", "contact", "billing")
FIRST = [
    "anna", "luca", "marta", "paolo", "giulia", "marco", "elena", "davide", "sara", "pietro", "ingrid",
    "sven", "lars", "karin", "mei", "wei", "jun", "fang", "tom", "kate", "john", "emma", "hugo", "lena",
    "nina", "omar", "ali", "rosa", "ivan", "olga",
]  # fmt: skip
LAST = [
    "rossi", "bianchi", "ferrari", "russo", "romano", "gallo", "costa", "fontana", "conti", "ricci",
    "lindqvist", "berg", "holm", "ek", "lund", "wang", "li", "zhang", "chen", "liu", "smith", "jones",
    "brown", "meyer", "weber", "dubois", "moreau", "garcia", "lopez", "novak",
]  # fmt: skip


class Outside:
    """All other sites."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.providers = [
            Site(f"{name}.example", servers(f"mx{{}}.{name}.example", country, count, rng), people=4000)
            for name, _, country, count in PROVIDERS
        ]
        self.firms = [self._firm(number) for number in range(1, FIRMS + 1)]
        self.bulk = [
            Site(f"{name}.example", servers(f"out{{}}.{name}.example", "US", 6, rng)) for name in BULK
        ]
        self.lists = [Site(f"{name}.example", servers(f"{name}.example", "DE", 1, rng)) for name in LISTS]
        self.partner = self.firms[0]
        every = [*self.providers, *self.firms]
        weights = [float(weight) for _, weight, _, _ in PROVIDERS]
        weights += [33 / (number + 3) ** 0.8 / 6 for number in range(FIRMS)]
        self._every, self._bounds = every, list(accumulate(weights))
        self.by_name = {site.name: site for site in (*every, *self.bulk, *self.lists)}

    def _firm(self, number: int) -> Site:
        country = self.rng.choice(("IT", "IT", "IT", "DE", "FR", "GB", "US"))
        name = f"firm{number}.example"
        behaviour = "normal"
        if number > 5:
            behaviour = self.rng.choices(("normal", "grey", "full", "dead"), (80, 14, 4, 2))[0]
        return Site(
            name, servers(f"mx{{}}.{name}", country, self.rng.choice((1, 1, 2)), self.rng), behaviour,
            self.rng.randrange(4, 60), self.rng.random() < 0.92,
        )  # fmt: skip

    def draw(self) -> Site:
        """Draw a site, the large ones more often."""
        return self.rng.choices(self._every, cum_weights=self._bounds)[0]

    def person(self, site: Site) -> str:
        """Draw a person of a site."""
        number = self.rng.randrange(site.people)
        first, last = FIRST[number % len(FIRST)], LAST[number * 7 % len(LAST)]
        return f"{first}.{last}{number // 30 or ''}@{site.name}"


def servers(pattern: str, country: str, count: int, rng: Random) -> tuple[tuple[str, str], ...]:
    """Name a site's servers and give them addresses side by side."""
    network = f"10.{SERVER_NETWORKS[country]}.{rng.randrange(256)}"
    first = rng.randrange(1, 200)
    return tuple((pattern.format(number), f"{network}.{first + number}") for number in range(1, count + 1))


REFUSED_USUALLY = (
    (
        "5.1.1",
        "550 5.1.1 <{to}>: Recipient address rejected: User unknown in relay recipient table",
        "RCPT TO",
    ),
    ("5.1.1", "550 5.1.1 The email account that you tried to reach does not exist.", "RCPT TO"),
    ("5.2.1", "550 5.2.1 <{to}>: mailbox disabled, not accepting messages", "RCPT TO"),
    ("5.7.1", "554 5.7.1 Message rejected as spam by content filtering", "end of DATA"),
)
PUT_OFF_USUALLY = (
    ("4.7.1", "451 4.7.1 Resources temporarily unavailable, please try again later", "end of DATA"),
    ("4.3.2", "421 4.3.2 Service shutting down, please try again later", "MAIL FROM"),
)
GREYLISTED = ("4.2.0", "450 4.2.0 <{to}>: Recipient address rejected: Greylisted, please retry", "RCPT TO")
OVER_QUOTA = ("4.2.2", "452 4.2.2 <{to}>: Mailbox full, try again later", "RCPT TO")
LISTED = (
    "5.7.1",
    f"554 5.7.1 Service unavailable; Client host [{OWN_IP}] blocked using bl.blocklist.example; "
    f"https://bl.blocklist.example/query/{OWN_IP}",
    "RCPT TO",
)


def said(server: str, reply: tuple[str, str, str], recipient: str, status: str) -> Answer:
    """Word a server's refusal as smtp(8) does."""
    dsn, text, step = reply
    return dsn, status, f"host {server} said: {text.format(to=recipient)} (in reply to {step} command)", True
