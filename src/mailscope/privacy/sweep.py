"""Finding addresses of mail and network in any text, where no pattern tells where they stand.

Each regex finds what may be one; what it is, and where exactly it begins and ends, is told here for each
distinct text.  Times and version numbers look alike: only what is an address is replaced.

Sources: RFC 5321 section 4.1.2 (mailbox), RFC 4291 section 2.2 (IPv6), RFC 5782 (blocklists); qmail's logs
write ``_`` for a blank.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final

import polars as pl

from mailscope.privacy.kept import WORDS
from mailscope.privacy.matches import rewritten
from mailscope.privacy.pseudonyms import Pseudonyms
from mailscope.vocabulary.columns import take

_LABEL: Final = r"[0-9A-Za-z\x{80}-\x{10fffd}](?:[0-9A-Za-z\x{80}-\x{10fffd}-]*[0-9A-Za-z\x{80}-\x{10fffd}])?"
_DOMAIN: Final = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-fIPv:.]+\])"
# What stands in brackets or quotes is whole; a list's sender may hold a member's address (VERP).
_ADDRESS: Final = (
    rf"<[^<> ]*@[^<> ]*>|\"[^\"@]*\"@{_DOMAIN}"
    rf"|[0-9A-Za-z._+]*[-+][0-9A-Za-z._+-]*={_LABEL}(?:\.{_LABEL})+@{_DOMAIN}"
    rf"|[^\s<>()\[\],;:\"'@\\={{}}|/]+(?:@|%40){_DOMAIN}"
    # A local part looked up by itself.
    r"|[0-9A-Za-z._+-]+@"
)
_FOUR: Final = r"(?:[0-9]{1,3}[.-]){3}[0-9]{1,3}"
# With what stands against it: in Mail::DKIM, no address begins.
_SIX: Final = r"[0-9A-Za-z_]*:[0-9A-Za-z_:.]*:[0-9A-Za-z_:.]*"
_NETWORK: Final = rf"{_SIX}|[0-9A-Za-z_.-]*{_FOUR}[0-9A-Za-z_.-]*"
# Words behind which free text names a user; what Postfix -v says of look-ups; a line of passwd(5).
_SPOKEN: Final = (
    r"\b(?:owned by|for|of|by|as) (?:user|login):? [\"'<]?[^\s\"'<>;,()]+"
    r"|maps_find: (?:[^ ]+: )+(?:[^ ]+ = )?|\bkey=[^ ]+ -> "
    r"|attr (?:key|sender|recipient|address|user|client|rule) = .*"
    r"|[^\s:=>]+:[x*!]?:[0-9]+:[0-9]+:[^:]*:[^:]*:[^\s:]*"
)
_SPOKEN_PARTS: Final = re.compile(
    r"(.*?(?:user|login):? [\"'<]?|maps_find: (?:[^ ]+: )*(?=[^ ]+(?:: | = )$)|key=|attr [a-z]+ = )"
    r"(.*?)((?:: | = | -> )?)",
    re.DOTALL,
)
_PASSWD: Final = re.compile(r"(?:[^:]*:){6}[^:]*")
REGEX: Final = f"{_SPOKEN}|{_ADDRESS}|{_NETWORK}"
# A text without any of these holds none of them; most have times, which look like IPv6 at first.
SIGN: Final = (
    r"@|%40|\b(?:user|login):? |maps_find: |\bkey=|attr [a-z]+ = |:[x*!]?:[0-9]+:[0-9]+:"
    r"|(?:[0-9]{1,3}[.-]){3}[0-9]|::|(?:[0-9A-Fa-f]{1,4}:){4}"
)
# Of lines that no pattern knows, what stands behind such a key is somebody's.
_KEYS: Final = r"[a-z_]*user(?:name)?|login|account|rhost|r?helo|from|to|subject"
_VALUE: Final = r"<[^<>]*>|\"[^\"]*\"|'[^']*'|[^ <>,;\"']+"
KEYED: Final = rf"\b(?:{_KEYS})=(?:{_VALUE})"
_KEYED: Final = re.compile(rf"({_KEYS})=({_VALUE})")

_DOTTED: Final = re.compile(r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?:(?=\.[A-Za-z])|(?![0-9]|\.[0-9]))")
_COLONS: Final = re.compile(r"(?<![0-9A-Za-z_])[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?![0-9A-Za-z_])")
_BEHIND: Final = re.compile(r"[:.]$|(?<=[^:]):[0-9]{1,5}$")
_DASHED: Final = re.compile(r"(?<![0-9])(?<![0-9]-)(?:[0-9]{1,3}-){3}[0-9]{1,3}(?![0-9-])")
# In qmail's logs, where a reply's words stand before an address.
_REPLY: Final = re.compile(r".*_(?=[^_])|", re.DOTALL)
_WORDS_BEFORE: Final = re.compile(r"_|.*(?:^|_)[245](?:[0-9][0-9]|\.[0-9]{1,3}\.[0-9]{1,3})_")


class Sweep:
    """Texts with pseudonyms for what is found in them."""

    def __init__(self, names: Pseudonyms) -> None:
        self.names = names

    def texts(self, column: pl.Series) -> pl.Series:
        """Addresses of mail and network replaced."""
        rows = column.str.contains(SIGN).fill_null(False).arg_true()
        if not len(rows):
            return column
        return column.clone().scatter(rows, rewritten(take(column, rows), REGEX, self.token))

    def unknown(self, column: pl.Series) -> pl.Series:
        """The same for texts that no pattern knows: also what a key tells to be a name."""
        return rewritten(column, f"{KEYED}|{REGEX}", self.token)

    def token(self, text: str) -> str:
        """What stands for one match."""
        if keyed := _KEYED.fullmatch(text):
            return self._keyed(keyed)
        if _PASSWD.fullmatch(text) and "/" in text:
            return self._passwd(text)
        if (spoken := _SPOKEN_PARTS.fullmatch(text)) and " " in text:
            return spoken[1] + self._spoken(spoken[2]) + spoken[3]
        if "@" in text:
            return self._mail(text)
        if "%40" in text:
            local, _, domain = text.partition("%40")
            return self.names.address(f"{local}@{domain}").replace("@", "%40")
        if text.count(":") > 1:
            return _COLONS.sub(self._colons, text)
        return _DASHED.sub(self._dashed, _DOTTED.sub(self._dotted, text))

    def _keyed(self, found: re.Match[str]) -> str:
        """``user=alice``, with or without quotes or brackets."""
        key, value = found[1], found[2]
        quoted = value[:1] in "<\"'" and len(value) > 1
        inner = value[1:-1] if quoted else value
        way = self.names.text if key == "subject" else self.names.lookup
        new = self.names.peer(inner) if key.endswith(("host", "helo")) else way(inner)
        return f"{key}={value[0]}{new}{value[-1]}" if quoted else f"{key}={new}"

    def _spoken(self, value: str) -> str:
        """A name that words announce; what is no name stays."""
        if value.lower() in WORDS or not any(map(str.isalpha, value)):
            return value
        return self.names.mailbox(value) if "/" in value else self.names.lookup(value)

    def _passwd(self, text: str) -> str:
        name, password, user, group, person, home, shell = text.split(":")
        person, home = self.names.user(person), self.names.mailbox(home)
        return ":".join((self.names.user(name), password, user, group, person, home, shell))

    def _mail(self, text: str) -> str:
        if text.startswith("<"):
            return self.names.address(text)
        local, _, domain = text.rpartition("@")
        found = _WORDS_BEFORE.match(local)
        words = ""
        if found:
            begin = _REPLY.match(local)
            words = local[: begin.end()] if begin and text.startswith("_") else found[0]
        return words + self.names.address(f"{local[len(words) :]}@{domain}")

    def _colons(self, found: re.Match[str]) -> str:
        """An IPv6 address with what the match took along: a colon before, a colon or port behind."""
        text = found[0]
        head = ":" if text.startswith(":") and not text.startswith("::") else ""
        body, tail = text[len(head) :], ""
        while body.count(":") > 1:
            try:
                ip_address(body)
            except ValueError:
                end = _BEHIND.search(body)
                if end is None:
                    break
                body, tail = body[: end.start()], end[0] + tail
            else:
                return head + self.names.ip(body) + tail
        # Perhaps an IPv4 address stands in it.
        return _DOTTED.sub(self._dotted, text)

    def _dotted(self, found: re.Match[str]) -> str:
        if (
            found.string[found.end() : found.end() + 1] == "."
            and found.string[found.end() + 1 :][:1].isalpha()
        ):
            # Looked up in a blocklist, or in in-addr.arpa.
            return self.names.backwards(found[0])
        return self.names.ip(found[0])

    def _dashed(self, found: re.Match[str]) -> str:
        return self.names.ip(found[0].replace("-", ".")).replace(".", "-")
