"""The kinds of value that settings have: what is allowed, and in which words a person is told so.

Units stand in a setting's name (``_s``, ``_days``, ``_mb``), so that a plain number is never in doubt.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Table(BaseModel):
    """A table of the file; a key that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Allowed:
    """What a value may be, in words that follow "give"; metadata of a type."""

    def __init__(self, words: str) -> None:
        self.words = words


def _checked(fits: Callable[[str], object], words: str) -> tuple[AfterValidator, Allowed]:
    """A check that raises ValueError, or gives False, for what is not allowed."""

    def check(value: str) -> str:
        if fits(value) is False:
            raise ValueError(words)
        return value

    return AfterValidator(check), Allowed(words)


def _pattern(regex: str, words: str) -> tuple[AfterValidator, Allowed]:
    compiled = re.compile(regex)
    return _checked(lambda value: compiled.fullmatch(value) is not None, words)


def _zone(value: str) -> bool:
    try:
        return not value or ZoneInfo(value) is not None
    except (KeyError, ValueError, OSError):
        return False


_LABEL: Final = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME: Final = rf"{_LABEL}(?:\.{_LABEL})*"

_ABSOLUTE = _pattern("/[^\0]*", 'an absolute path, such as "/var/log/mail.log"')
_ABSOLUTE_OR_NONE = _pattern("(?:/[^\0]*)?", 'an absolute path, or "" for none')
_NETWORK = _checked(ip_network, 'a network without host bits, such as "192.0.2.0/24" or "2001:db8::/32"')
_ADDRESS = _checked(ip_address, 'an address to listen on, such as "127.0.0.1" or "::"')
_CLOCK = _pattern("(?:[01][0-9]|2[0-3]):[0-5][0-9]", 'a time of day from "00:00" to "23:59"')
_CLOCK_OR_NONE = _pattern(
    "(?:(?:[01][0-9]|2[0-3]):[0-5][0-9])?", 'a time of day from "00:00" to "23:59", or "" for none'
)
_MODE = _pattern("0?[0-7]{3}", 'an octal file mode in quotes, such as "0660"')
_DOMAIN = _pattern(_NAME, 'a domain, such as "example.org"')
_HOST = _pattern(f"{_NAME}|[0-9A-Fa-f:.]+", 'a host name or address, such as "mail.example.org"')
_HOST_OR_NONE = _pattern(f"(?:{_NAME}|[0-9A-Fa-f:.]+)?", 'a host name or address, or "" for none')
_MAILBOX = _pattern(r"[!-~]+@[A-Za-z0-9.:\[\]-]+", 'a mail address, such as "postmaster@example.org"')
_MAILBOX_OR_NONE = _pattern(r"(?:[!-~]+@[A-Za-z0-9.:\[\]-]+)?", 'a mail address, or "" for the default')
_ACCOUNT = _pattern("(?:[A-Za-z_][A-Za-z0-9_.-]*[$]?)?", 'an account of this host, or "" for no change')
_ZONE = _checked(_zone, 'a time zone, such as "Europe/Rome" or "UTC", or "" for the system\'s')
_LINK_OR_NONE = _pattern("(?:https?://[!-~]+)?", 'a web address, or "" for none')
_ROUTE = _pattern("[a-z0-9][a-z0-9_-]{0,31}", 'a name of small letters, digits, - and _, such as "mail"')
_URL = _pattern(
    "(?:https?://[^/@?# ]+(?:[/?][!-~]*)?)?",
    'a URL without user and password, such as "https://example.org/hook"',
)
_HEADER_OR_NONE = _pattern("(?:[A-Za-z][A-Za-z0-9-]{0,63})?", 'a name of a header, such as "X-Remote-User"')
_WORD = _pattern("[!-~]+", "a text without blanks, in quotes")

Path = Annotated[str, *_ABSOLUTE]
OptionalPath = Annotated[str, *_ABSOLUTE_OR_NONE]
Address = Annotated[str, *_checked(ip_address, 'an address, such as "192.0.2.1" or "2001:db8::1"')]
Network = Annotated[str, *_NETWORK]
ListenAddress = Annotated[str, *_ADDRESS]
TimeOfDay = Annotated[str, *_CLOCK]
OptionalTimeOfDay = Annotated[str, *_CLOCK_OR_NONE]
RouteName = Annotated[str, *_ROUTE]
OptionalUrl = Annotated[str, *_URL]
FileMode = Annotated[str, *_MODE]
Domain = Annotated[str, *_DOMAIN]
Host = Annotated[str, *_HOST]
OptionalHost = Annotated[str, *_HOST_OR_NONE]
MailAddress = Annotated[str, *_MAILBOX]
OptionalMailAddress = Annotated[str, *_MAILBOX_OR_NONE]
Account = Annotated[str, *_ACCOUNT]
TimeZone = Annotated[str, *_ZONE]
OptionalLink = Annotated[str, *_LINK_OR_NONE]
OptionalHeader = Annotated[str, *_HEADER_OR_NONE]
Word = Annotated[str, *_WORD]
Port = Annotated[int, Field(ge=1, le=65_535)]
Days = Annotated[int, Field(ge=1, le=36_500)]
