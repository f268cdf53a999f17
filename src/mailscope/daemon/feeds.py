"""The feeds that the settings ask for: files that are followed, the journal, syslog sockets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mailscope.intake.discover import discover
from mailscope.intake.follow.files import FileFeed
from mailscope.intake.follow.journal import JournalFeed
from mailscope.intake.follow.naming import Followed
from mailscope.intake.journal import Wanted
from mailscope.intake.live import Feed, Resume
from mailscope.syslog.receiver.feed import Receiver
from mailscope.syslog.receiver.limits import Limits
from mailscope.syslog.receiver.listener import Listener
from mailscope.syslog.receiver.tls import Certificates
from mailscope.vocabulary.settings import intake
from mailscope.vocabulary.settings.settings import Settings

JOURNAL = "journal"
NOTHING = (
    "nothing is followed and nothing listens: no mail log was found on this host, or the settings want none; "
    "name some in [sources] files, or give a [[receiver.listen]]"
)
# What the journal holds of mail programs, where no unit is named.
MAIL = ("SYSLOG_FACILITY=2",)


def feeds(settings: Settings, resumes: Mapping[str, Resume], say: Callable[[str], None]) -> list[Feed]:
    """Open them, telling what is followed.

    Raises InputError for a socket or a certificate that cannot be used.
    """
    sources = settings.sources
    paths = [str(path) for path in (*sources.files, *sources.multilog)]
    journal = sources.journal or bool(sources.journal_units)
    if sources.discover:
        for found in discover().found:
            if found.kind == "journal":
                journal = True
            elif str(found.path) not in paths:
                paths.append(str(found.path))
                say(f"following {found.path} ({found.why})")
    excluded = {str(path) for path in sources.exclude}
    opened: list[Feed] = []
    followed = [Followed(path) for path in paths if path not in excluded]
    if followed:
        opened.append(FileFeed(followed, resumes))
    if journal:
        wanted = Wanted(sources.journal_units, () if sources.journal_units else MAIL)
        opened.append(JournalFeed(wanted, resumes.get(JOURNAL), name=JOURNAL))
        say("following the journal")
    if settings.receiver.listen:
        opened.append(_receiver(settings.receiver))
        for each in settings.receiver.listen:
            say(f"listening on {each.transport} {each.path or f'{each.address} port {each.port}'}")
    if not opened:
        say(NOTHING)
    return opened


def _receiver(settings: intake.Receiver) -> Receiver:
    limits = Limits(
        message_bytes=settings.max_message_kb << 10,
        connections=settings.max_connections,
        per_address=max(1, settings.max_connections // 2),
        idle_s=float(settings.idle_timeout_s),
        message_s=float(settings.partial_timeout_s),
        queue_bytes=settings.max_waiting_mb << 20,
    )
    return Receiver([_listener(each) for each in settings.listen], limits)


def _listener(settings: intake.Listener) -> Listener:
    if settings.transport in ("unix-dgram", "unix-stream"):
        return Listener(settings.transport, str(settings.path), mode=int(settings.mode, 8))
    certificates = None
    if settings.transport == "tls":
        certificates = Certificates(
            Path(settings.certificate),
            Path(settings.key),
            Path(settings.client_ca) if settings.client_ca else None,
            settings.client_names,
        )
    return Listener(
        settings.transport,
        settings.address,
        settings.port,
        tuple(str(network) for network in settings.networks),
        certificates,
    )
