"""Where events are sent: ``gelf+udp://host:12201``, ``elasticsearch+https://host:9200/INDEX`` and so on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from mailscope.vocabulary.errors import UsageError

# Scheme -> the form that is sent, and the port where none is named.
SCHEMES: Final[dict[str, tuple[str, int]]] = {
    "gelf+udp": ("gelf", 12201),
    "gelf+tcp": ("gelf", 12201),
    "elasticsearch+http": ("ecs", 9200),
    "elasticsearch+https": ("ecs", 9200),
    "opensearch+http": ("ecs", 9200),
    "opensearch+https": ("ecs", 9200),
    "otlp+http": ("otlp", 4318),
    "otlp+https": ("otlp", 4318),
}
# Elasticsearch's rules for names of indices and data streams.
INDEX: Final = re.compile(r'[^-_+A-Z\\/*?"<>| ,#:.][^A-Z\\/*?"<>| ,#:]{0,254}')
FORMS: Final = "gelf+udp://host, gelf+tcp://host, elasticsearch+https://host/INDEX or otlp+http://host"


@dataclass(frozen=True, slots=True)
class Address:
    """A server and what is spoken with it.  ``path`` is what stands before the index or ``/v1/logs``."""

    scheme: str
    host: str
    port: int
    path: str = ""
    index: str = ""

    @property
    def form(self) -> str:
        """The form of event that is sent there."""
        return SCHEMES[self.scheme][0]

    @property
    def protocol(self) -> str:
        """What the name of the scheme ends with: udp, tcp, http or https."""
        return self.scheme.partition("+")[2]

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        index = f"/{self.index}" if self.index else ""
        return f"{self.scheme}://{host}:{self.port}{self.path}{index}"


def parse(url: str) -> Address:
    """An address from its URL.  Raises UsageError."""
    try:
        split = urlsplit(url)
        port = split.port
    except ValueError as error:
        raise _wrong(url, str(error)) from error
    if split.scheme not in SCHEMES:
        raise _wrong(url, f"unknown kind of server '{split.scheme}'")
    if split.username is not None or split.password is not None:
        raise UsageError(
            "a user or password in the URL would be seen by everybody on the host",
            "--to",
            "give --credentials FILE or set MAILSCOPE_USER and MAILSCOPE_PASSWORD",
        )
    if not split.hostname or not split.hostname.isprintable() or " " in split.hostname:
        raise _wrong(url, "no host is named")
    if split.query or split.fragment:
        raise _wrong(url, "nothing may follow the path")
    if not split.path.isascii() or not split.path.isprintable() or " " in split.path:
        raise _wrong(url, "the path has characters that must be %-encoded")
    path, index = split.path.rstrip("/"), ""
    form, usual = SCHEMES[split.scheme]
    if form == "ecs":
        path, _, index = path.rpartition("/")
        if not INDEX.fullmatch(unquote(index)):
            raise _wrong(url, "no index or data stream is named, or its name is not a valid one")
    elif form == "gelf" and path:
        raise _wrong(url, "GELF has no path")
    elif form == "otlp":
        path = path.removesuffix("/v1/logs")
    return Address(split.scheme, split.hostname, usual if port is None else port, path, index)


def _wrong(url: str, what: str) -> UsageError:
    return UsageError(f"{what} in '{url}'", "--to", f"such as {FORMS}")
