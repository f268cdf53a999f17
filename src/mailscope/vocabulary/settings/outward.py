"""Settings of how the daemon is asked, and what it sends by itself."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from mailscope.vocabulary.settings.places import SOCKET
from mailscope.vocabulary.settings.values import (
    Account,
    FileMode,
    ListenAddress,
    MailAddress,
    OptionalHost,
    OptionalMailAddress,
    OptionalPath,
    Path,
    Port,
    Table,
    TimeOfDay,
    Word,
)

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Api(Table):
    """The unix socket on which the daemon answers the command line."""

    socket: Path = Field(SOCKET, description="Path of the socket.")
    owner: Account = Field("", description="User that the socket is given to; needs root.")
    group: Account = Field("", description="Group that the socket is given to.")
    mode: FileMode = Field("0660", description="File mode of the socket: who may ask.")


class Metrics(Table):
    """Figures for Prometheus over TCP; on the API's socket they are answered in any case, as /metrics."""

    enabled: bool = Field(False, description="Whether they are answered over TCP, as /metrics.")
    address: ListenAddress = Field(
        "127.0.0.1",
        description="Where to listen.  What is answered is not encrypted; it names no person, but tells how "
        "much mail there is.",
    )
    port: Port = Field(9925, description="The port.")
    token_file: OptionalPath = Field(
        "", description='A file whose first line is the token that Prometheus must show; "": none is needed.'
    )


class DailyReport(Table):
    """The report of the day before, by mail."""

    recipients: tuple[MailAddress, ...] = Field((), description="To whom; none: no mail is sent.")
    sender: OptionalMailAddress = Field("", description='From whom; "": mailscope@ and the host\'s name.')
    at: TimeOfDay = Field("06:30", description="When it is sent.")
    language: Literal["en", "it", "sv", "zh"] = Field("en", description="Language of the report.")
    top: int = Field(10, ge=0, le=10_000, description="Rows of a table at most; 0: all.")
    via: Literal["sendmail", "smtp"] = Field(
        "sendmail",
        description="By the host's sendmail program, or through a server.  The packaged systemd unit forbids "
        "programs that change their group, as Postfix' and qmail's do: there, use smtp and localhost.",
    )
    sendmail: Path = Field("/usr/sbin/sendmail", description="The sendmail program.")
    smtp_host: OptionalHost = Field("", description="The server; for smtp.")
    smtp_port: Port = Field(587, description="Its port: 587 with starttls, 465 with tls, 25 with none.")
    smtp_tls: Literal["starttls", "tls", "none"] = Field("starttls", description="How it is secured.")
    smtp_user: Word | Literal[""] = Field("", description='Whom to log in as; "": no login.')
    smtp_password_file: OptionalPath = Field("", description="A file whose first line is the password.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.via == "smtp" and not self.smtp_host:
            raise ValueError("via = \"smtp\" needs 'smtp_host'")
        if self.smtp_user and not self.smtp_password_file:
            raise ValueError("'smtp_user' needs 'smtp_password_file'")
        if self.smtp_user and self.smtp_tls == "none" and self.smtp_host not in LOOPBACK:
            raise ValueError("the password would travel in the clear: smtp_tls must be starttls or tls")
        return self
