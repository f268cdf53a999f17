"""Settings of alerts: who is told of findings, by which way, when, and of which."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from mailscope.vocabulary.settings.outward import LOOPBACK
from mailscope.vocabulary.settings.values import (
    MailAddress,
    OptionalHost,
    OptionalMailAddress,
    OptionalPath,
    OptionalTimeOfDay,
    OptionalUrl,
    Path,
    Port,
    RouteName,
    Table,
    TimeOfDay,
    Word,
)

Severity = Literal["info", "warning", "critical"]
Seconds = Annotated[int, Field(ge=0, le=604_800)]
# What only means something for some ways; the others have it as it is by default.
_OF: Final = {
    "smtp": (
        "recipients", "sender", "smtp_host", "smtp_port", "smtp_tls", "smtp_user", "smtp_password_file",
        "ca_file",
    ),
    "sendmail": ("recipients", "sender", "sendmail"),
    "syslog": ("syslog_socket", "syslog_host", "syslog_port", "facility"),
    "webhook": ("url", "url_file", "token_file", "secret_file", "ca_file"),
    "apprise": ("urls_file",),
}  # fmt: skip


class Route(Table):
    """One way on which people are told of findings."""

    name: RouteName = Field(description="Its name, in `mailscope alert test NAME` and where it fails.")
    via: Literal["smtp", "sendmail", "syslog", "webhook", "apprise"] = Field(
        description="smtp: a mail straight to the server named below, which need not be the watched one; "
        "sendmail: a mail by the host's own program; webhook: an HTTP POST of JSON; apprise: chat, phone and "
        "over a hundred services, as URLs of the library apprise."
    )
    severity: Severity = Field("warning", description="Findings at least so severe are told at once.")
    digest_from: Literal["none", "info", "warning", "critical"] = Field(
        "info",
        description="Others, from this severity on, are gathered and told together, and so are findings in "
        "old lines; none: they are not told here.",
    )
    digest_at: TimeOfDay = Field("07:30", description="When what was gathered is told.")
    digest_every_h: Annotated[int, Field(ge=0, le=24)] = Field(
        0, description="Instead: every so many hours, counted from midnight; 0: once a day, at that time."
    )
    detections: tuple[Word, ...] = Field((), description="Only findings of these detections; none: of all.")
    except_detections: tuple[Word, ...] = Field((), description="No findings of these detections.")
    after_s: Seconds = Field(
        0,
        description="Only what is still going on and not acknowledged after so long: whom to call when "
        "nobody has answered on the other routes.",
    )
    recovery: bool = Field(True, description="Whether it is told that an incident is over.")
    language: Literal["en", "it", "sv", "zh"] = Field("en", description="Language of the messages.")
    quiet_from: OptionalTimeOfDay = Field("", description='Begin of the quiet hours; "": there are none.')
    quiet_until: OptionalTimeOfDay = Field("", description="Their end; then what has waited is told.")
    quiet_up_to: Severity = Field("warning", description="What is more severe is told in quiet hours too.")
    lines: Annotated[int, Field(ge=0, le=10)] = Field(
        5, description="Log lines in a message at most; 0 keeps people's addresses in them from the service."
    )
    max_messages: Annotated[int, Field(ge=1, le=1_000)] = Field(
        10, description="Messages an hour at most; what is more is summed up in one."
    )
    timeout_s: Annotated[int, Field(ge=1, le=600)] = Field(
        30, description="A message that is not taken within this time is tried again later."
    )
    recipients: tuple[MailAddress, ...] = Field((), description="To whom; for smtp and sendmail.")
    sender: OptionalMailAddress = Field("", description='From whom; "": mailscope@ and the host\'s name.')
    smtp_host: OptionalHost = Field("", description="The server; for smtp.")
    smtp_port: Port = Field(587, description="Its port: 587 with starttls, 465 with tls, 25 with none.")
    smtp_tls: Literal["starttls", "tls", "none"] = Field("starttls", description="How it is secured.")
    smtp_user: Word | Literal[""] = Field("", description='Whom to log in as; "": no login.')
    smtp_password_file: OptionalPath = Field("", description="A file whose first line is the password.")
    sendmail: Path = Field("/usr/sbin/sendmail", description="The sendmail program.")
    syslog_socket: OptionalPath = Field("/dev/log", description="The socket of the host's syslog daemon.")
    syslog_host: OptionalHost = Field("", description='Instead: a host that takes syslog by UDP; "": none.')
    syslog_port: Port = Field(514, description="Its port.")
    facility: Literal["daemon", "auth", "user", "local0", "local1", "local2", "local3", "local4", "local5",
                      "local6", "local7"] = Field(
        "daemon", description="Facility of the lines; not that of mail, which is read here."
    )  # fmt: skip
    url: OptionalUrl = Field("", description="Where to post; for webhook.")
    url_file: OptionalPath = Field(
        "", description="Instead: a file whose first line is the URL, where the URL itself is a secret."
    )
    token_file: OptionalPath = Field("", description="A file whose first line is a bearer token.")
    secret_file: OptionalPath = Field(
        "", description="A file whose first line is the key that posts are signed with (Standard Webhooks)."
    )
    ca_file: OptionalPath = Field(
        "", description='Authority of the server\'s certificate, PEM; "": those of the system.'
    )
    urls_file: OptionalPath = Field("", description="A file with apprise's URLs, one a line.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        self._complete()
        self._nothing_idle()
        if bool(self.quiet_from) != bool(self.quiet_until):
            raise ValueError("'quiet_from' and 'quiet_until' need each other")
        return self

    def _complete(self) -> None:
        if self.via in ("smtp", "sendmail") and not self.recipients:
            raise ValueError(f"a route by {self.via} needs 'recipients'")
        if self.via == "smtp" and not self.smtp_host:
            raise ValueError("a route by smtp needs 'smtp_host'")
        if self.smtp_user and not self.smtp_password_file:
            raise ValueError("'smtp_user' needs 'smtp_password_file'")
        if self.smtp_user and self.smtp_tls == "none" and self.smtp_host not in LOOPBACK:
            raise ValueError("the password would travel in the clear: smtp_tls must be starttls or tls")
        if self.via == "webhook" and bool(self.url) == bool(self.url_file):
            raise ValueError("a route by webhook needs 'url' or 'url_file'")
        if self.via == "apprise" and not self.urls_file:
            raise ValueError("a route by apprise needs 'urls_file'")
        if self.via == "syslog" and not (self.syslog_socket or self.syslog_host):
            raise ValueError("a route by syslog needs 'syslog_socket' or 'syslog_host'")

    def _nothing_idle(self) -> None:
        """Refuse what means nothing for this way; what only repeats a default does no harm."""
        for name in sorted({name for names in _OF.values() for name in names} - set(_OF[self.via])):
            if getattr(self, name) != _default(type(self), name):
                raise ValueError(f"'{name}' means nothing to a route by {self.via}")


def _default(model: type[Table], name: str) -> Any:
    return model.model_fields[name].default


class Alerts(Table):
    """Telling people of findings: nobody is told unless there is a route."""

    routes: tuple[Route, ...] = Field((), description="The ways, one [[alerts.routes]] each.")
    host: OptionalHost = Field("", description='What this host is called in messages; "": its name.')
    late_after_s: Annotated[int, Field(ge=60, le=604_800)] = Field(
        3_600,
        description="What was seen last so long ago, as in logs that are caught up on, is not told at once "
        "but in the digest.",
    )
    more_times: Annotated[int, Field(ge=0, le=1_000)] = Field(
        5, description="An incident is told of again when a figure of it is so many times as high; 0: never."
    )
    give_up_after_s: Annotated[int, Field(ge=60, le=604_800)] = Field(
        86_400, description="A message that a route does not take is tried for so long."
    )

    @model_validator(mode="after")
    def _apart(self) -> Self:
        names = [each.name for each in self.routes]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"there are two routes called '{twice[0]}'")
        return self
