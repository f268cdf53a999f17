"""What each of our fields is called in the Elastic Common Schema, in OpenTelemetry and in GELF.

Sources: the ECS field reference (8.11); OpenTelemetry's logs data model with its appendix on RFC 5424, and
its semantic conventions for general attributes; the GELF 1.1 payload specification.

A schema's name is used where it means what ours means; everything else is ``mail.NAME``.  So the envelope's
sender is ``mail.sender``: ECS keeps SMTP out of ``email.*``, whose addresses are those of the message's
header, which may say something else.
"""

from __future__ import annotations

from typing import Final

OWN: Final = "mail"
ECS: Final[dict[str, str]] = {
    "time": "@timestamp",
    "host": "host.name",
    "program": "log.syslog.appname",
    "service": "process.name",
    "instance": "service.name",
    "pid": "process.pid",
    "facility": "log.syslog.facility.name",
    "severity": "log.syslog.severity.name",
    "event": "event.action",
    "text": "message",
    "source": "log.file.path",
    "queue_id": "email.local_id",
    "message_id": "email.message_id",
    "subject": "email.subject",
    "reason": "event.reason",
    "uid": "user.id",
    "user": "user.name",
    "sasl_user": "user.name",
    "client_host": "source.domain",
    "client_ip": "source.ip",
    "client_port": "source.port",
    "orig_client_host": "client.domain",
    "orig_client_ip": "client.ip",
    "relay_host": "destination.address",
    "relay_ip": "destination.ip",
    "relay_port": "destination.port",
    "server_host": "server.domain",
    "server_ip": "server.ip",
    "server_port": "server.port",
    "bytes_in": "source.bytes",
    "bytes_out": "destination.bytes",
    "tls_cipher": "tls.cipher",
    "tls_key_exchange": "tls.curve",
    "path": "file.path",
    "target_user": "user.target.name",
    "group_name": "group.name",
    "directory": "process.working_directory",
    "method": "http.request.method",
    "url_path": "url.path",
    "referer": "http.request.referrer",
    "user_agent": "user_agent.original",
    "interface": "observer.ingress.interface.name",
}
# The first ones are parts of a record; the others are names of attributes.
OTEL: Final[dict[str, str]] = {
    "time": "Timestamp",
    "host": "Resource host.name",
    "program": "Resource service.name",
    "event": "EventName",
    "text": "Body",
    "severity": "SeverityText, SeverityNumber",
    "facility": "syslog.facility",
    "pid": "process.pid",
    "source": "log.file.path",
    "client_ip": "client.address",
    "client_port": "client.port",
    "uid": "user.id",
    "user": "user.name",
    "sasl_user": "user.name",
    "tls_cipher": "tls.cipher",
    "tls_key_exchange": "tls.curve",
    "path": "file.path",
    "directory": "process.working_directory",
    "method": "http.request.method",
    "url_path": "url.path",
    "user_agent": "user_agent.original",
}
GELF: Final[dict[str, str]] = {
    "time": "timestamp",
    "host": "host",
    "text": "short_message",
    "severity": "level",
    # Graylog calls the GELF host "source" and leaves out an additional field of that name.
    "source": "_log_file",
}


def ecs(name: str) -> str:
    """The ECS name of a field."""
    return ECS.get(name, f"{OWN}.{name}")


def otel(name: str) -> str:
    """The attribute's name in OpenTelemetry, or the part of the record that tells the field."""
    return OTEL.get(name, f"{OWN}.{name}")


def gelf(name: str) -> str:
    """The GELF name of a field; additional ones begin with an underscore."""
    return GELF.get(name, f"_{name}")
