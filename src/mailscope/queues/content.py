"""A message's header as a person reads it: unfolded, encoded words decoded (RFC 2047)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.header import decode_header
from typing import Final

_HEADER: Final = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)


@dataclass
class Content:
    """What an MTA keeps of a message besides its envelope.

    ``attributes``: by the MTA's own names, such as client_address and sasl_username.  ``header``: names and
    decoded values in their order.  ``problems``: what could not be read.
    """

    attributes: dict[str, str] = field(default_factory=dict)
    header: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def take_header(self, lines: Iterable[bytes]) -> None:
        """Take the lines of a header, up to the first that belongs to none."""
        for line in lines:
            if line[:1] in (b" ", b"\t") and self.header:
                name, value = self.header[-1]
                self.header[-1] = name, f"{value} {_text(line.strip())}"
            elif (found := _HEADER.fullmatch(line)) is not None:
                self.header.append((_text(found[1]), _text(found[2].strip())))
            else:
                break
        self.header = [(name, decoded(value)) for name, value in self.header]


def decoded(value: str) -> str:
    """A header's value with its encoded words as text; one that is damaged stays as it is."""
    if "=?" not in value:
        return value
    try:
        parts = decode_header(value)
    except (HeaderParseError, ValueError, UnicodeError):
        return value
    return "".join(_part(text, charset) for text, charset in parts)


def _part(text: bytes | str, charset: str | None) -> str:
    if isinstance(text, str):
        return text
    try:
        return text.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        return text.decode("latin-1")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
