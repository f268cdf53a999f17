"""Settings of what is read: followed logs, the journal, the syslog receiver."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mailscope.vocabulary.settings.values import (
    FileMode,
    ListenAddress,
    Network,
    OptionalPath,
    Path,
    Port,
    Table,
    Word,
)


class Sources(Table):
    """Which logs of this host are followed."""

    discover: bool = Field(
        True, description="Find the host's own mail logs, as `mailscope report` without FILES does."
    )
    files: tuple[Path, ...] = Field(
        (),
        description="Files to follow besides; `*`, `?` and `[...]` stand for what they do in a shell, and a "
        "file may appear later.",
    )
    exclude: tuple[Path, ...] = Field((), description="Files never to follow, also with `*`.")
    multilog: tuple[Path, ...] = Field((), description="Directories that daemontools' multilog writes.")
    logins: tuple[Path, ...] = Field(
        (),
        description="Files of logins to follow, such as `/var/log/wtmp` and `/var/log/btmp`; where the logs "
        "of sshd and login are followed too, each login is told twice.",
    )
    journal: bool = Field(False, description="Read the journal of systemd.")
    journal_units: tuple[Word, ...] = Field(
        (), description="Of the journal, only these units; none: whatever has the facility mail."
    )


class Listener(Table):
    """One socket on which syslog messages are taken."""

    transport: Literal["udp", "tcp", "tls", "unix-dgram", "unix-stream"] = Field(
        description="RFC 5426, RFC 6587, RFC 5425, or a unix socket: /dev/log is a datagram one."
    )
    address: ListenAddress = Field("127.0.0.1", description="Where to listen; not for unix sockets.")
    port: Port = Field(514, description="Port; tls has 6514 by custom (RFC 5425); not for unix sockets.")
    path: OptionalPath = Field("", description="Path of the unix socket.")
    mode: FileMode = Field("0666", description="File mode of the unix socket.")
    networks: tuple[Network, ...] = Field(
        (), description="Only from these networks; none: from everywhere that reaches the socket."
    )
    certificate: OptionalPath = Field(
        "", description="Our certificate with those that it is signed by, PEM; tls needs it."
    )
    key: OptionalPath = Field("", description="Its private key, PEM; tls needs it.")
    client_ca: OptionalPath = Field(
        "", description='Authority that a client\'s certificate must be signed by; "": none is asked for.'
    )
    client_names: tuple[Word, ...] = Field(
        (), description="Names, one of which a client's certificate must carry; none: any of that authority."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        # What only repeats a default does no harm, so that 'config show' gives a file that can be used.
        given = {
            name for name, info in type(self).model_fields.items() if getattr(self, name) != info.default
        }
        if self.transport.startswith("unix"):
            if not self.path:
                raise ValueError(f"a {self.transport} listener needs 'path'")
            _refuse(given, {"address", "port", "networks"}, self.transport)
        else:
            _refuse(given, {"path", "mode"}, self.transport)
        if self.transport == "tls":
            for name in ("certificate", "key"):
                if not getattr(self, name):
                    raise ValueError(f"a tls listener needs '{name}'")
        else:
            _refuse(given, {"certificate", "key", "client_ca", "client_names"}, self.transport)
        if self.client_names and not self.client_ca:
            raise ValueError("'client_names' needs 'client_ca': nobody vouches for the names")
        return self


def _refuse(given: set[str], meaningless: set[str], transport: str) -> None:
    for name in sorted(given & meaningless):
        raise ValueError(f"'{name}' means nothing to a listener whose transport is {transport}")


class Receiver(Table):
    """The syslog receiver: nothing listens unless a listener is given."""

    listen: tuple[Listener, ...] = Field((), description="The sockets, one [[receiver.listen]] each.")
    max_connections: Annotated[int, Field(ge=1, le=65_536)] = Field(
        1_000, description="Connections at once, of all listeners; the next one is closed and counted."
    )
    max_connections_per_address: Annotated[int, Field(ge=1, le=65_536)] = Field(
        500, description="The same for each address."
    )
    max_message_kb: Annotated[int, Field(ge=1, le=4_096)] = Field(
        64, description="Longest message, in KiB; what is longer is cut, and counted."
    )
    max_waiting_mb: Annotated[int, Field(ge=1, le=4_096)] = Field(
        64,
        description="Messages waiting for the store, in MiB: then TCP senders wait, and UDP messages are "
        "dropped and counted.",
    )
    idle_timeout_s: Annotated[int, Field(ge=1, le=604_800)] = Field(
        3_600, description="A connection that has been silent for so long is closed."
    )
    max_unfinished_mb: Annotated[int, Field(ge=1, le=4_096)] = Field(
        32, description="Messages whose end has not come yet, in MiB, of all connections."
    )
    handshake_timeout_s: Annotated[int, Field(ge=1, le=3_600)] = Field(
        10, description="A TLS connection that is not established within this time is closed."
    )
    partial_timeout_s: Annotated[int, Field(ge=1, le=3_600)] = Field(
        30, description="A connection that leaves a message unfinished for so long is closed."
    )
