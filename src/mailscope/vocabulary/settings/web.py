"""Settings of the live page: where it is served, and how people prove who they are."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Self

from pydantic import Field, model_validator

from mailscope.vocabulary.settings.values import (
    ListenAddress,
    Network,
    OptionalHeader,
    OptionalLink,
    OptionalPath,
    Port,
    Table,
)


class Web(Table):
    """The live page and the API over TCP, for people with an account (`mailscope people`)."""

    enabled: bool = Field(False, description="Whether it is served.")
    address: ListenAddress = Field(
        "127.0.0.1",
        description="Where to listen; beyond this host only with a certificate, or behind a proxy.",
    )
    port: Port = Field(8925, description="The port.")
    certificate: OptionalPath = Field(
        "",
        description='Certificate with its chain (PEM), for TLS; "": none.  It is read again with the '
        "settings.",
    )
    key: OptionalPath = Field("", description="The certificate's key (PEM), readable by the daemon's user.")
    url: OptionalLink = Field("", description='How people reach it, for links; "": by address and port.')
    proxies: tuple[Network, ...] = Field(
        (),
        description="Proxies before it, whose X-Forwarded-For and X-Forwarded-Proto are believed.",
    )
    sign_on_header: OptionalHeader = Field(
        "",
        description="A header in which a proxy of ours names who has signed on there, such as X-Remote-User; "
        'it must remove that header from what clients send.  "": none.',
    )
    spool: OptionalPath = Field(
        "",
        description="The queue that the page shows and changes: its directory, or for Postfix that of "
        'main.cf; "": the host\'s own.',
    )
    wtmp: OptionalPath = Field(
        "/var/log/wtmp",
        description='The file of logins whose sessions the page shows, or wtmpdb\'s; "": none.',
    )
    pacct: OptionalPath = Field(
        "/var/log/account/pacct",
        description='The file of process accounting whose costs the page shows; "": none.',
    )
    session_hours: Annotated[int, Field(ge=1, le=720)] = Field(
        12, description="After so many hours people log in again."
    )
    idle_minutes: Annotated[int, Field(ge=1, le=10_080)] = Field(
        120, description="So do those who did nothing for so many minutes."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.certificate) != bool(self.key):
            raise ValueError("'certificate' and 'key' need each other")
        if self.sign_on_header and not self.proxies:
            raise ValueError("'sign_on_header' needs 'proxies': from others it would be believed")
        if self.enabled and not (self.certificate or self.proxies or ip_address(self.address).is_loopback):
            raise ValueError(
                "passwords would travel in the clear: give 'certificate' and 'key', or 'proxies'"
            )
        return self
