"""Addresses of senders and recipients, as the options want them shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mailscope.reports.compat.pflogsumm.hosts import lower

# What list software puts before the number of a message (VERP).
_BEFORE_NUMBER: Final = (
    "bounce",
    "bounced",
    "bounces",
    "nolist",
    "noreply",
    "noresponse",
    "return",
    "sentto",
)
_NUMBERED: Final = re.compile(
    rf"((?:{'|'.join(_BEFORE_NUMBER)}|[0-9]+).*?)(?:[-+_.*][0-9]+\b)+", re.IGNORECASE | re.ASCII
)
_RECIPIENT_WITHIN: Final = re.compile(r"[-*](?:[0-9]+[-*])?[^-=*]+[=*][^@]+@")
_BANG_PATH: Final = re.compile(r"((?:.*!)?)([^!]+)!([^!@]+)@([^.]+)")
_SRS: Final = re.compile(
    r"SRS[01][-=+](?:[^=]+=[\w.]+==)*[^=]+=[^=]+=(?P<host>[\w.]+)=(?P<user>.+)@[\w.]+",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True)
class Munging:
    """What is done to addresses: ``verp`` None for nothing, over 1 for leaving the recipient out."""

    ignore_case: bool = False
    uucp: bool = False
    verp: int | None = None
    srs: bool = False

    @property
    def plain(self) -> bool:
        """Whether only capital letters change."""
        return not self.uucp and self.verp is None and not self.srs

    @property
    def marks(self) -> bool:
        """Whether marks of VERP or SRS are taken out of senders."""
        return self.verp is not None or self.srs

    def recipient(self, address: str) -> str:
        """A recipient's address."""
        if self.uucp and (path := _BANG_PATH.fullmatch(address)):
            address = f"{path[4]}!{path[1]}{path[3]}@{path[2]}"
        if self.ignore_case:
            return lower(address)
        user, at, host = address.partition("@")
        return user + at + lower(host)

    def sender(self, address: str) -> str:
        """A sender's address; where there is none, the words that stand for it."""
        if not address:
            return "from=<>"
        return self.unmarked(self.recipient(address))

    def unmarked(self, address: str) -> str:
        """An address without the marks of VERP and SRS."""
        if self.verp is not None:
            address = _NUMBERED.sub(r"\1-ID", address, count=1)
            if self.verp > 1:
                address = _RECIPIENT_WITHIN.sub("@", address, count=1)
        if self.srs and (found := _SRS.fullmatch(address)):
            address = f"{found['user']}@{found['host']}"
        return address
