"""Blocklists: what each lists, what its answers mean, how it is asked."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from ipaddress import IPv4Address, ip_address
from typing import Final, Literal

from mailscope.vocabulary.settings.detections.dnsbl import DnsblListed as Settings
from mailscope.watch.finding import Severity

Of = Literal["ipv4", "ipv6", "name"]
# What a list must list and must not, by what it lists (RFC 5782, sections 5 and 6; of names, ``TEST`` and
# ``INVALID``).
TESTS: Final[Mapping[Of, tuple[str, str]]] = {
    "ipv4": ("127.0.0.2", "127.0.0.1"),
    "ipv6": ("::ffff:7f00:2", "::ffff:7f00:1"),
    "name": ("test", "invalid"),
}


@dataclass(frozen=True)
class Blocklist:
    """One list.

    ``codes`` and ``bits``: what answers mean; ``refusals``: answers that are no listing; ``public``: whether
    it answers public resolvers; ``listed`` and ``unlisted``: its test entries, where they are not the usual
    ones; ``test``: whether it has any that is listed.  ``nameserver``: asked instead of the host's resolver.
    """

    zone: str
    name: str = ""
    of: tuple[Of, ...] = ("ipv4",)
    severity: Severity = "warning"
    link: str = ""
    note: str = ""
    public: bool = True
    test: bool = True
    listed: str = ""
    unlisted: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)
    bits: Mapping[str, str] = field(default_factory=dict)
    refusals: Mapping[str, str] = field(default_factory=dict)
    nameserver: str = ""
    port: int = 53

    def tests(self, of: Of) -> tuple[str, str]:
        """What must be listed, and what must not."""
        listed, unlisted = TESTS[of]
        return self.listed or listed, self.unlisted or unlisted

    def meaning(self, code: str) -> str:
        """What an answer means, in words; empty where the list does not say."""
        if code in self.codes:
            return self.codes[code]
        last = int(code.rpartition(".")[2])
        return ", ".join(words for bit, words in self.bits.items() if last & int(bit))


def kind_of(subject: str) -> Of:
    """Whether a subject is an address or a name."""
    try:
        return "ipv4" if isinstance(ip_address(subject), IPv4Address) else "ipv6"
    except ValueError:
        return "name"


@cache
def known() -> tuple[Blocklist, ...]:
    """The lists that come with the package."""
    text = (files("mailscope.watch.dnsbl") / "data" / "lists.toml").read_text(encoding="utf-8")
    return tuple(Blocklist(**{**each, "of": tuple(each["of"])}) for each in tomllib.loads(text)["list"])


def wanted(settings: Settings) -> tuple[Blocklist, ...]:
    """The lists that the settings want, and those that they describe."""
    chosen = [each for each in known() if not settings.lists or each.zone in settings.lists]
    own = [
        Blocklist(
            zone=each.zone, name=each.zone, of=("name",) if each.of == "names" else ("ipv4", "ipv6"),
            severity=each.severity, link=each.link, nameserver=each.nameserver, port=each.port,
            refusals=known_refusals(),
        )
        for each in settings.zone
    ]  # fmt: skip
    described = {each.zone for each in own}
    return (*(each for each in chosen if each.zone not in described), *own)


def unknown(settings: Settings) -> tuple[str, ...]:
    """Lists that the settings name and nobody knows, in words."""
    zones = {*(each.zone for each in known()), *(each.zone for each in settings.zone)}
    return tuple(f"there is no blocklist '{zone}'" for zone in settings.lists if zone not in zones)


@cache
def known_refusals() -> Mapping[str, str]:
    """Answers of which no list makes listings: 127.255.255.0/24 is kept for errors."""
    return {
        code: words
        for each in known()
        for code, words in each.refusals.items()
        if code.startswith("127.255.")
    }
