"""Asking the DNS, and whom we ask: public resolvers are refused by many lists."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Those that answer everybody: Google, Cloudflare, Quad9, OpenDNS, Level 3, Yandex, AdGuard, DNS.SB, Verisign.
PUBLIC: Final = frozenset({
    "8.8.8.8", "8.8.4.4", "2001:4860:4860::8888", "2001:4860:4860::8844",
    "1.1.1.1", "1.0.0.1", "1.1.1.2", "1.0.0.2", "1.1.1.3", "1.0.0.3",
    "2606:4700:4700::1111", "2606:4700:4700::1001",
    "9.9.9.9", "9.9.9.10", "9.9.9.11", "149.112.112.112", "149.112.112.10", "149.112.112.11",
    "2620:fe::fe", "2620:fe::9", "2620:fe::10", "2620:fe::fe:10",
    "208.67.222.222", "208.67.220.220", "208.67.222.220", "208.67.220.222",
    "2620:119:35::35", "2620:119:53::53",
    "4.2.2.1", "4.2.2.2", "4.2.2.3", "4.2.2.4", "209.244.0.3", "209.244.0.4",
    "77.88.8.8", "77.88.8.1", "94.140.14.14", "94.140.15.15", "185.222.222.222", "45.11.45.11",
    "64.6.64.6", "64.6.65.6", "80.80.80.80", "80.80.81.81",
})  # fmt: skip
# systemd-resolved answers as 127.0.0.53, and names here whom it asks.
CONFIGURED: Final = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
LONGEST_TEXT: Final = 300


@dataclass(frozen=True)
class Answer:
    """What the DNS told: ``codes`` (none: no such name), ``text`` in the list's words; or ``failure``."""

    codes: tuple[str, ...] = ()
    text: str = ""
    failure: str = ""


def public_in(files: tuple[Path, ...] = CONFIGURED) -> str:
    """A public resolver that this host asks; empty where none is known to be."""
    for file in files:
        try:
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            words = line.split()
            if len(words) > 1 and words[0] == "nameserver" and words[1] in PUBLIC:
                return words[1]
    return ""


@dataclass(frozen=True)
class Resolver:
    """One way to ask.  ``nameserver``: an address, "" for the host's resolver; ``tries``: at most so many."""

    nameserver: str = ""
    port: int = 53
    timeout_s: float = 5.0
    tries: int = 3

    def ask(self, name: str) -> Answer:
        """The A records of a name and, where there are any, the words of its TXT records."""
        import dns.exception
        import dns.resolver

        try:
            resolver = dns.resolver.Resolver(configure=not self.nameserver)
        except dns.exception.DNSException as error:
            return Answer(failure=f"there is no resolver: {error}")
        if self.nameserver:
            resolver.nameservers, resolver.port = [self.nameserver], self.port
        resolver.timeout = resolver.lifetime = self.timeout_s
        failure = ""
        for _ in range(self.tries):
            try:
                found = resolver.resolve(name, "A", search=False)
                return Answer(tuple(sorted(str(each) for each in found)), _text(resolver, name))
            except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
                return Answer()
            except dns.resolver.LifetimeTimeout:
                failure = f"no answer within {self.timeout_s:g} seconds"
            except (dns.exception.DNSException, OSError, ValueError) as error:
                failure = " ".join(str(error).split())[:LONGEST_TEXT] or type(error).__name__
        return Answer(failure=failure)


def _text(resolver: object, name: str) -> str:
    import dns.exception
    import dns.resolver

    assert isinstance(resolver, dns.resolver.Resolver)
    try:
        found = resolver.resolve(name, "TXT", search=False)
    except (dns.exception.DNSException, OSError):
        return ""
    told = "; ".join(b"".join(each.strings).decode("utf-8", "replace") for each in found)
    return told[:LONGEST_TEXT]
