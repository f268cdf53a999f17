"""Settings of the look-ups of our own addresses on DNS blocklists."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mailscope.vocabulary.settings.values import Address, Domain, OptionalHost, OptionalLink, Port, Table


class Zone(Table):
    """A blocklist of your own, or one that is asked otherwise than usual."""

    zone: Domain = Field(description="Its zone, such as bl.example.org.")
    nameserver: OptionalHost = Field(
        "", description='Address of the server that is asked; "": the host\'s resolver.'
    )
    port: Port = Field(53, description="Port of that server.")
    of: Literal["addresses", "names"] = Field("addresses", description="What it lists.")
    severity: Literal["info", "warning", "critical"] = Field("warning", description="How bad a listing is.")
    link: OptionalLink = Field("", description="Where one asks to be taken off.")


class DnsblListed(Table):
    """Addresses or names of ours are on a DNS blocklist: the daemon asks the lists now and then."""

    enabled: bool = Field(True, description="Whether the lists are asked.")
    addresses: tuple[Address, ...] = Field((), description="Addresses of ours, beside those that are found.")
    discover: bool = Field(
        True,
        description="Find our public addresses: those of the network interfaces, and those that Postfix "
        "listens on and sends from.",
    )
    names: tuple[Domain, ...] = Field((), description="Names of ours that are looked up on lists of names.")
    lists: tuple[Domain, ...] = Field((), description="Only these of the lists that are known; none: all.")
    interval_h: Annotated[int, Field(ge=1, le=168)] = Field(6, description="Hours between two rounds.")
    delay_s: Annotated[int, Field(ge=0, le=86_400)] = Field(
        600, description="The first round comes so long after the daemon's start."
    )
    timeout_s: Annotated[int, Field(ge=1, le=60)] = Field(5, description="How long an answer is waited for.")
    tries: Annotated[int, Field(ge=1, le=10)] = Field(3, description="How often a list is asked in vain.")
    zone: tuple[Zone, ...] = Field((), description="Other lists, one [[detections.dnsbl_listed.zone]] each.")
