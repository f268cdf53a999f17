"""Names and addresses of hosts: what a client or relay is called, its domain, and how names are sorted."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_UPPER: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_CACHED: Final = 1 << 17

_IPV4: Final = r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}"
# A colon must come before the next bracket; what stands between need not be an address of any sense.
_IPV6: Final = r"(?=[^\]]*:)[0-9a-fA-F:]+"
_ADDRESS: Final = rf"{_IPV4}|{_IPV6}:{_IPV4}|{_IPV6}"
_BRACKETED: Final = re.compile(rf"(?:{_ADDRESS})\]")
_SLASHED: Final = re.compile(rf"{_IPV4}|\[?{_IPV6}:{_IPV4}\]?|\[?{_IPV6}\]?")
_ANYWHERE: Final = re.compile(rf"\[({_ADDRESS})\]|/({_ADDRESS})(?=[\s\]),;:]|$)", re.ASCII)
_NAME: Final = re.compile(r"(?:unknown|localhost|(?:[a-z0-9-]+\.)+[a-z0-9-]+)\.?", re.IGNORECASE | re.ASCII)
_NAME_CHARACTERS: Final = re.compile(r"[A-Za-z0-9._-]*$")
_NONE: Final = re.compile(r"none(?::[0-9]+)?")
_REVERSE_ZONES: Final = (".in-addr.arpa", ".ip6.arpa")
_OLDER_BRACKETED: Final = re.compile(rf"({_IPV4})\]")
_OLDER_SLASHED: Final = re.compile("[0-9a-fA-F.:]+")
_OLDER_OPENING: Final = re.compile(r"[\[(/]")
_OLDER_CLOSING: Final = re.compile(r"[\])]")
_OLDER_PORT: Final = re.compile(":?[0-9]*")
_OLDEST_ZONES: Final = frozenset({"com", "net", "org", "gov", "mil", "edu"})
_QUAD: Final = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})")
_BLANK: Final = re.compile(r"\s", re.ASCII)
_HEX_AND_COLON: Final = re.compile(r"[0-9A-Fa-f]+:")
_SEPARATORS: Final = re.compile(r"[.@]")
_GROUPS: Final = 8  # of four hexadecimal digits in an IPv6 address


def lower(text: str) -> str:
    """Lower case of the letters of ASCII only, as Perl does it for bytes outside any locale."""
    return text.translate(_UPPER)


@lru_cache(_CACHED)
def host_name(text: str) -> str:
    """1.3.0's full name of a host written ``name[address]`` or ``name/address``, or else its address."""
    if _NONE.fullmatch(text):
        return "none"
    name, address = _taken_apart(text)
    if name == "unknown" or name.endswith(_REVERSE_ZONES):
        return address
    return name


@lru_cache(_CACHED)
def host_domain(text: str) -> str:
    """1.3.0's domain of a host written ``name[address]`` or ``name/address``, or else its address."""
    if _NONE.fullmatch(text):
        return "none"
    name, address = _taken_apart(text)
    if name == "unknown" or name.endswith(_REVERSE_ZONES):
        return address
    return folded(name)


def _taken_apart(text: str) -> tuple[str, str]:
    """Name and address, each ``unknown`` where there is none."""
    for bracket, expression in (("[", _BRACKETED), ("/", _SLASHED)):
        at = text.find(bracket)
        while at >= 0:
            name = _NAME_CHARACTERS.search(text, 0, at)
            if name and _NAME.fullmatch(name[0]) and (address := expression.match(text, at + 1)):
                return _without_dot(name[0]), _without_brackets(address[0])
            at = text.find(bracket, at + 1)
    if text.startswith("[") and (address := _BRACKETED.match(text, 1)):
        return "unknown", _without_brackets(address[0])
    if found := _ANYWHERE.search(text):
        return "unknown", _without_brackets(found[1] or found[2])
    return "unknown", "unknown"


def _without_dot(name: str) -> str:
    return name.removesuffix(".")


def _without_brackets(address: str) -> str:
    return address.removeprefix("[").removesuffix("]")


def folded(name: str) -> str:
    """1.3.0's domain of an address or of a host's name, in lower case, without its first label."""
    domain = _host_part(name)
    domain = (name if domain is None else lower(domain)).removesuffix(".")
    if "." not in domain:
        return domain
    labels = domain.rstrip(".").split(".")
    if labels[-1] in _OLDEST_ZONES:
        return ".".join(["", *labels][-2:])
    return ".".join(labels[1:]) if len(labels) > 3 else domain


def _host_part(name: str) -> str | None:
    """What stands behind the first @, without angle brackets and blanks around; None where that is none."""
    inner = name.strip(" \t\n\r\f\v").removesuffix(">")
    for whole in (inner.removeprefix("<"), inner):
        user, at, host = whole.partition("@")
        for part in (host if at and user else "", whole):
            if part and ">" not in part and not _BLANK.search(part):
                return part
    return None


@lru_cache(_CACHED)
def older_domain(text: str) -> str | None:
    """1.1.5's domain of a host; its address where it has no name, None where the text holds neither."""
    name, address = _older_parts(text)
    return address if name in ("", "unknown") else _older_folded(name)


def _older_parts(text: str) -> tuple[str, str | None]:
    name, bracket, rest = text.partition("[")
    if bracket and (found := _OLDER_BRACKETED.match(rest)):
        return name, found[1]
    name, slash, rest = text.partition("/")
    if slash and (found := _OLDER_SLASHED.match(rest)):
        return name, found[0]
    # Some other bracket, closed at the end of the text but for a port.
    begin = _OLDER_OPENING.search(text)
    end = _OLDER_CLOSING.search(text, begin.end()) if begin else None
    if begin and end:
        address = text[begin.end() : end.start()]
        if address and _OLDER_PORT.fullmatch(text, end.end()):
            return text[: begin.start()], address
    return "", None


def _older_folded(name: str) -> str:
    """Two labels, or three where the last two look like ``co.uk``."""
    labels = name.split(".")
    lengths = [len(label) for label in labels[-3:]]
    if len(labels) >= 3 and lengths[-1] == 3 and lengths[-2]:
        return lower(".".join(labels[-2:]))
    if len(labels) >= 4 and lengths[-1] == 2 and lengths[-2] in (2, 3) and lengths[-3]:
        return lower(".".join(labels[-3:]))
    return name


def older_sort_key(text: str) -> str:
    """1.1.5's order of names: addresses by octets, names from the last label to the first."""
    word = _first_word(text)
    if found := _QUAD.fullmatch(word):
        return "".join(chr(int(octet)) for octet in found.groups())
    return _labels_reversed(word)


def sort_key(text: str) -> str:
    """1.3.0's order of names: names from the last label to the first, then IPv4, then IPv6 addresses."""
    word = _first_word(text)
    if found := _QUAD.fullmatch(word):
        octets = [int(octet) for octet in found.groups()]
        return f"0_{word}" if max(octets) > 255 else "2_" + bytes(octets).hex()
    if _HEX_AND_COLON.match(word):
        return "3_" + _ipv6_groups(word)
    return "0_" + _labels_reversed(word)


def _first_word(text: str) -> str:
    return _BLANK.split(text, maxsplit=1)[0]


def _labels_reversed(word: str) -> str:
    if "." not in word and "@" not in word:
        return lower(word)
    return lower("".join(reversed(_SEPARATORS.split(word))))


def _ipv6_groups(word: str) -> str:
    groups = lower(word).rstrip(":").split(":")
    if "" in groups:
        at = groups.index("")
        groups[at : at + 1] = ["0000"] * max(0, _GROUPS + 1 - len(groups))
    # pflogsumm ends here, without a report, where there are more than eight.
    groups += ["0000"] * (_GROUPS - len(groups))
    return "".join(group.rjust(4, "0") for group in groups)
