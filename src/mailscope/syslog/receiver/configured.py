"""The receiver that the settings ask for."""

from __future__ import annotations

from pathlib import Path

from mailscope.syslog.receiver.feed import Receiver
from mailscope.syslog.receiver.limits import Limits
from mailscope.syslog.receiver.listener import Listener
from mailscope.syslog.receiver.tls import Certificates
from mailscope.vocabulary.settings import intake


def receiver(settings: intake.Receiver, host: str | None = None) -> Receiver | None:
    """Listen as the table ``[receiver]`` says; None where it names no socket.

    ``host``: the name of this host, where it is another than the system's.  Raises what ``Receiver`` raises.
    """
    if not settings.listen:
        return None
    return Receiver([_listener(each) for each in settings.listen], limits(settings), host)


def reloaded(running: Receiver | None, settings: intake.Receiver) -> Receiver | None:
    """The same after the settings were read again: one that runs goes on, with what it holds.

    Where nothing is to be listened to any more, it is left as it is: ``end`` it.  Raises what ``Receiver``
    raises; what runs goes on as it was then.
    """
    if running is None or not settings.listen:
        return receiver(settings)
    running.reload([_listener(each) for each in settings.listen], limits(settings))
    return running


def limits(settings: intake.Receiver) -> Limits:
    """The limits among them."""
    return Limits(
        message_bytes=settings.max_message_kb << 10,
        connections=settings.max_connections,
        per_address=settings.max_connections_per_address,
        idle_s=settings.idle_timeout_s,
        message_s=settings.partial_timeout_s,
        handshake_s=settings.handshake_timeout_s,
        unfinished_bytes=settings.max_unfinished_mb << 20,
        queue_bytes=settings.max_waiting_mb << 20,
    )


def _listener(settings: intake.Listener) -> Listener:
    if settings.transport in ("unix-dgram", "unix-stream"):
        return Listener(settings.transport, settings.path, mode=int(settings.mode, 8))
    certificates = None
    if settings.transport == "tls":
        authorities = Path(settings.client_ca) if settings.client_ca else None
        certificates = Certificates(
            Path(settings.certificate), Path(settings.key), authorities, settings.client_names
        )
    return Listener(settings.transport, settings.address, settings.port, settings.networks, certificates)
