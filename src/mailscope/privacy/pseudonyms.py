"""Pseudonyms: what stands for an address, a name, a host, a message-id.

A pseudonym is made from the name and the key alone, so it is the same in every line, file and run with
that key, and joins stay true: ``alice`` the user and ``alice@`` the address share it, as do a domain and the
hosts in it.  It reads ``uabcdefghijklmn``: what it stands for (u user, h host, m message-id, s session, t
text), two letters of the key, twelve of the name (56 bits).  Names that differ only in case have pseudonyms
that do so too.

In: values as logged.  Out: values of the same form.  Roles (postmaster), localhost and the like stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import blake2b
from ipaddress import ip_address
from string import ascii_lowercase
from typing import Final, Literal

from mailscope.privacy import networks
from mailscope.privacy.kept import FOLDERS, HOSTS, ROLES, TECHNICAL_HEADERS

Way = Literal["keep", "pseudonymise", "truncate"]
LENGTH: Final = 12
NOBODY: Final = "x"
REVERSED: Final = re.compile(r"((?:[0-9]{1,3}\.){4})(?=[A-Za-z])")
HEADER: Final = re.compile(r"([A-Za-z][A-Za-z0-9-]*)(:\s*)(.*)", re.DOTALL)
NAME: Final = re.compile(r"[^\s<>()\[\],;\"'=|]+")
# The further lines of a Received header (RFC 5321 section 4.4).
RECEIVED: Final = re.compile(r"\t|\(|by [^ ]+ with |id [^ ]+$|for [^ ]+;")
QUOTED: Final = re.compile(r"\"([^\"]*?)((?:\.[A-Za-z0-9]{1,8})?)\"")
SEGMENTS: Final = re.compile(r"[^/|\" ]+")
CACHED: Final = 100_000


@dataclass(frozen=True)
class Pseudonyms:
    """What is put in the place of names.

    ``addresses`` and ``ips`` as in the settings; ``keep_domains``: of addresses and host names, the last two
    labels stay readable.
    """

    key: bytes
    addresses: Way = "pseudonymise"
    ips: Way = "pseudonymise"
    keep_domains: bool = False

    @cached_property
    def key_id(self) -> str:
        """Two characters that all pseudonyms of one key have."""
        return _letters(blake2b(self.key, person=b"key id").digest())[:2]

    @cached_property
    def _word(self) -> Callable[[str, str], str]:
        # Few names fill most of a log.
        return lru_cache(CACHED)(self._made)

    @cached_property
    def _address(self) -> Callable[[str], str]:
        return lru_cache(CACHED)(self._network)

    def ip(self, value: str) -> str:
        """A network address; what is none stays."""
        return self._address(value)

    def _network(self, value: str) -> str:
        bare, percent, zone = value.partition("%")
        try:
            address = ip_address(bare)
        except ValueError:
            return value
        if self.ips == "keep":
            return value
        if self.ips == "truncate":
            return networks.truncated(address) + percent + zone
        return networks.pseudonym(address, self._number) + percent + zone

    def user(self, value: str) -> str:
        """A login name, an account, a local part; also where it is a whole address."""
        if "@" in value:
            return self.address(value)
        if not value or self.addresses == "keep" or value.lower() in ROLES or value.startswith("#"):
            return value
        if self.addresses == "truncate":
            return NOBODY
        # What no name holds stays, so that a line with odd names is read as it was.
        return NAME.sub(lambda found: self._name(found[0]), value)

    def _name(self, value: str) -> str:
        if self._is_address(value):
            return self.ip(value)
        if not any(map(str.isalnum, value)):
            return value
        if value.isdecimal() and value.isascii():
            # A number stays one.
            return str(10**17 + self._number(f"n:{value}") % 10**17)
        return self._word("u", value)

    def address(self, value: str) -> str:
        """A mail address, bare or within angle brackets; what Sendmail and Exim deliver to instead of one."""
        if value.startswith("<") and value.endswith(">"):
            return f"<{self.address(value[1:-1])}>"
        local, at, domain = value.rpartition("@")
        if not at:
            return self.mailbox(value) if value[:1] in ("/", "|", '"', ":") else self.user(value)
        if self.addresses == "keep":
            return value
        # Routes (RFC 5321 appendix C) and other things that hold a second @ have one name all the same.
        name = self.user(local.replace("@", "%")) if local else ""
        return f"{name}@{self.domain(domain)}"

    def addresses_of(self, value: str) -> str:
        """A list of addresses, separated by commas."""
        return ",".join(self.address(each) for each in value.split(","))

    def domain(self, value: str) -> str:
        """A mail domain, or an address literal (RFC 5321 section 4.1.3)."""
        if value.startswith("[") and value.endswith("]"):
            return f"[{self.peer(value[1:-1])}]"
        return value if self.keep_domains or self.addresses != "pseudonymise" else self.host(value)

    def host(self, value: str) -> str:
        """A host name, label by label, so that what is in one domain stays so; or a network address."""
        if value.lower().rstrip(".") in HOSTS or not value:
            return value
        if self._is_address(value):
            return self.ip(value)
        if reversed_ := REVERSED.match(value):
            return self.backwards(reversed_[1][:-1]) + value[reversed_.end() - 1 :]
        if self.addresses == "keep" and self.ips == "keep":
            return value
        name = value.rstrip(".")
        labels = name.split(".")
        # The last label tells country or kind, never a person; a lone one tells a machine.
        kept = 0 if len(labels) == 1 else 2 if self.keep_domains else 1
        # Labels of services (RFC 8552) are nobody's.
        parts = [
            label
            if place >= len(labels) - kept or label[:1] in ("_", "")
            else self._word("h", ".".join(labels[place:]))
            for place, label in enumerate(labels)
        ]
        return ".".join(parts) + value[len(name) :]

    def relay(self, value: str) -> str:
        """A next hop: a host, or the name of a delivery agent, which stays."""
        return self.host(value) if "." in value or ":" in value else value

    def peer(self, value: str) -> str:
        """What a client calls itself: a host, an address literal, anything."""
        if value.startswith("[") and value.endswith("]"):
            return f"[{self.peer(value[1:-1])}]"
        if value.lower().startswith("ipv6:"):
            return value[:5] + self.ip(value[5:])
        if re.fullmatch(r"[A-Za-z0-9_.:-]*", value):
            return self.host(value)
        return self.text(value)

    def message_id(self, value: str) -> str:
        """A Message-ID without or with its angle brackets."""
        if value.startswith("<") and value.endswith(">"):
            return f"<{self.message_id(value[1:-1])}>"
        if not value or self.addresses == "keep":
            return value
        local, at, domain = value.rpartition("@")
        return self._word("m", local) + at + self.peer(domain) if at else self._word("m", value)

    def text(self, value: str) -> str:
        """Words of a person."""
        return value if not value or self.addresses == "keep" else self._word("t", value)

    def header(self, value: str) -> str:
        """A header or body line: names of headers stay, and the values of those that name no person."""
        if self.addresses == "keep" or not value or RECEIVED.match(value):
            return value
        found = HEADER.fullmatch(value)
        if found is None:
            return self.text(value)
        if not found[1].lower().startswith(TECHNICAL_HEADERS):
            return found[1] + found[2] + self.text(found[3])
        # The names of files.
        return QUOTED.sub(lambda file: f'"{self.text(file[1])}{file[2]}"', value)

    def mailbox(self, value: str) -> str:
        """A mailbox's path or name: what is no usual word of a path is somebody's name."""
        return SEGMENTS.sub(lambda found: self._segment(found[0]), value)

    def _segment(self, value: str) -> str:
        bare = value.lower().strip(".:")
        return value if bare in FOLDERS or not any(map(str.isalpha, bare)) else self.user(value)

    def lookup(self, value: str) -> str:
        """What was looked up: an address, a host, a user; in DNS, with the type of record behind."""
        if self._is_address(value):
            return self.ip(value)
        if "@" in value:
            return self.address(value)
        name, blank, kind = value.partition(" ")
        return (self.peer(name) if "." in name else self.user(name)) + blank + kind

    def session(self, value: str) -> str:
        """The id of a login session, which those that see it could take over."""
        return self._made("s", value)

    def backwards(self, octets: str) -> str:
        """An IPv4 address in the order of DNS blocklists (RFC 5782) and in-addr.arpa."""
        return ".".join(reversed(self.ip(".".join(reversed(octets.split(".")))).split(".")))

    def _is_address(self, value: str) -> bool:
        try:
            ip_address(value.partition("%")[0])
        except ValueError:
            return False
        return True

    def _made(self, kind: str, value: str) -> str:
        """A pseudonym: its first three characters, and twelve of a keyed hash."""
        if self.addresses == "truncate" and kind != "s":
            return NOBODY
        folded = value.lower()
        name = f"{kind}{self.key_id}{_letters(self._hash(f'{kind}:{folded}'))}"
        if value == folded or kind == "s":
            return name if value == folded else f"{name[:3]}{_letters(self._hash(f'{kind}!{value}'))}"
        # Another spelling is another pseudonym, but not where case does not count.
        turned = self._hash(f"{kind}!{value}")
        mixed = "".join(char.upper() if turned[at] & 1 else char for at, char in enumerate(name))
        return mixed if mixed != name else name.upper()

    def _number(self, value: str) -> int:
        return int.from_bytes(self._hash(value)[:16], "big")

    def _hash(self, value: str) -> bytes:
        return blake2b(value.encode(errors="replace"), key=self.key, digest_size=32).digest()


def _letters(digest: bytes) -> str:
    """A digest in small letters, which every pattern's words may hold."""
    number = int.from_bytes(digest[:16], "big")
    letters = ""
    for _ in range(LENGTH):
        number, place = divmod(number, len(ascii_lowercase))
        letters += ascii_lowercase[place]
    return letters
