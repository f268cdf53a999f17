"""The daemon as a process: settings, signals, systemd, and the loop between them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from operator import attrgetter
from pathlib import Path
from zoneinfo import ZoneInfo

from mailscope.daemon.archiving import Archiving
from mailscope.daemon.blocking import Blocking
from mailscope.daemon.checking import measured
from mailscope.daemon.daily import daily
from mailscope.daemon.errand import Errand
from mailscope.daemon.feeds import feeds
from mailscope.daemon.live_page import LivePage
from mailscope.daemon.memory import freeze, share_arenas
from mailscope.daemon.notify import Notifier
from mailscope.daemon.opening import opened
from mailscope.daemon.samplers import CHANGES, samplers
from mailscope.daemon.scraping import Scraping
from mailscope.daemon.service import Service
from mailscope.daemon.serving import Doors
from mailscope.daemon.shipping import shipping
from mailscope.daemon.signals import Signals
from mailscope.privacy.cleaning import cleaner
from mailscope.recognise.library import Library, in_force
from mailscope.syslog.receiver.feed import Receiver
from mailscope.vocabulary.errors import MailscopeError
from mailscope.vocabulary.settings.reading import load
from mailscope.vocabulary.settings.settings import Settings
from mailscope.watch.alerts.alerting import Alerting
from mailscope.watch.dnsbl.listed import DnsblListed
from mailscope.watch.dnsbl.rounds import Rounds
from mailscope.watch.dnsbl.rounds import renewed as renewed_rounds
from mailscope.watch.own.files import in_directory
from mailscope.watch.registry import NAMES
from mailscope.watch.waiting import Latest
from mailscope.watch.watcher import Watcher
from mailscope.watch.watching import Watching
from mailscope.web.blocking import PATH as BLOCKLIST
from mailscope.web.blocking import blocklists, fed
from mailscope.web.checks import checks
from mailscope.web.server import Server

STATUS_S = 5.0
# What cannot change while the daemon runs.
AT_START = (
    "time_zone", "store.directory", "store.memory_limit_mb", "archive.directory", "api", "web.enabled",
    "web.address", "web.port", "web.certificate", "web.key",
)  # fmt: skip


def run(file: Path | None, store: Path | None, zone: ZoneInfo, say: Callable[[str], None]) -> None:
    """Run until SIGTERM or SIGINT.  Raises MailscopeError where it cannot begin."""
    # What it keeps tells of persons: nothing of it is for everybody, however the daemon is started.
    os.umask(os.umask(0o077) | 0o027)
    share_arenas()
    settings = _settings(file)
    library = _library(settings)
    place = store or Path(settings.store.directory)
    zone = ZoneInfo(settings.time_zone) if settings.time_zone else zone
    notifier = Notifier()
    rounds = Rounds(settings.detections.dnsbl_listed)
    queue = Latest()
    watching = Watching(_watcher(settings, rounds, queue, say), say)
    service = Service(
        open=lambda: opened(place, settings.store.memory_limit_mb, say),
        library=library,
        zone=zone,
        feeds=[],
        say=say,
        hosts=settings.hosts,
        retention=settings.retention,
        watching=watching,
        alerting=Alerting(settings.alerts, zone, say, about=watching.about),
    )
    service.clean = cleaner(settings, library, service.secret)
    archiving = Archiving(settings.archive.directory, say)
    service.archive = archiving.take
    server: Server | None = None
    in_force = InForce(settings)
    page: LivePage | None = None
    blocking = Blocking(service, settings)
    scraping = Scraping(service.metrics, say, {BLOCKLIST: fed(blocking.feed)})
    with Signals() as signals:
        try:
            service.renew(feeds(settings, service.writer.resume_points(), say))
            service.samplers = samplers(settings, service.database.about(CHANGES), rounds, queue)
            service.errands = _errands(settings, file, place, zone, say)
            service.between.wake, service.between.alive = signals.wake, notifier.alive
            more = (checks(partial(measured, service)), blocklists(blocking.make))
            server = Server(Doors(service), settings.api, more)
            page = LivePage(Doors(service), lambda: in_force.settings, more, say)
            scraping.prepare(settings.metrics)
            scraping.take()
            freeze()
            notifier.ready(_told(service))
            say(f"storing in {place}, answering on {settings.api.socket}")
            _loop(service, in_force, scraping, blocking, page, signals, notifier, file, say)
        finally:
            service.between.close()
            scraping.close()
            if page is not None:
                page.close()
            if server is not None:
                server.close()
            notifier.stopping("finishing the batch")
            service.stop()
            archiving.close()


def _errands(
    settings: Settings, file: Path | None, store: Path, zone: ZoneInfo, say: Callable[[str], None]
) -> list[Errand]:
    """What children do for the daemon."""
    asked = (daily(settings, file, store, zone, say), shipping(settings, store, say))
    return [errand for errand in asked if errand is not None]


@dataclass
class InForce:
    """The settings as they are now."""

    settings: Settings


def _loop(
    service: Service,
    in_force: InForce,
    scraping: Scraping,
    blocking: Blocking,
    page: LivePage,
    signals: Signals,
    notifier: Notifier,
    file: Path | None,
    say: Callable[[str], None],
) -> None:
    told_at = 0.0
    while not signals.stop:
        begun = time.monotonic()
        if signals.take_reload():
            notifier.reloading()
            in_force.settings = _reloaded(service, in_force.settings, scraping, page, file, say)
            blocking.settings = in_force.settings
            notifier.ready(_told(service))
        more = service.step()
        if begun - told_at >= min(STATUS_S, notifier.watchdog_s or STATUS_S):
            told_at = begun
            notifier.alive()
            notifier.status(_told(service))
        if not more:
            signals.sleep(in_force.settings.store.batch_interval_s - (time.monotonic() - begun))


def _reloaded(
    service: Service,
    settings: Settings,
    scraping: Scraping,
    page: LivePage,
    file: Path | None,
    say: Callable[[str], None],
) -> Settings:
    """The settings as they are now; what was in force stays where they cannot be used."""
    if not service.finish():
        # Feeds that are made anew would read once more what waits to be stored.
        say("the settings stay as they were: lines wait to be stored; ask again when they are")
        return settings
    try:
        found = _settings(file)
        library = _library(found)
        clean = cleaner(found, library, service.secret)
        running = next((feed for feed in service.feeds if isinstance(feed, Receiver)), None)
        page.renew()
        scraping.prepare(found.metrics)
        renewed = feeds(found, service.writer.resume_points(), say, running)
    except MailscopeError as error:
        scraping.drop()
        say(f"the settings stay as they were: {error}")
        return settings
    service.renew(renewed)
    scraping.take()
    service.clean = clean
    if library.programs != service.library.programs:
        service.recognise_by(library)
    service.hosts, service.retention = found.hosts, found.retention
    asking = (each.sampler for each in service.samplers)
    at_work = next((each for each in asking if isinstance(each, Rounds)), None)
    rounds = renewed_rounds(at_work, found.detections.dnsbl_listed)
    queue = Latest()
    if service.watching is not None:
        service.watching.renew(_watcher(found, rounds, queue, say))
    service.alerting.renew(found.alerts)
    service.samplers = samplers(found, service.database.about(CHANGES), rounds, queue)
    service.errands = _errands(found, file, service.database.directory, service.zone, say)
    if later := [name for name in AT_START if _value(found, name) != _value(settings, name)]:
        say(f"{', '.join(later)}: the new value is used when the daemon is started again")
    say("settings read again")
    return found


def _watcher(
    settings: Settings, rounds: Rounds, queue: Latest, say: Callable[[str], None]
) -> Callable[[], Watcher]:
    """Makes the detections; of an admin's own, what is wrong is said, and the others are used."""
    read = in_directory(settings.detections.own, NAMES)
    for fault in read.faults:
        say(f"a detection of your own is left out: {fault}")
    asks = settings.detections.dnsbl_listed.enabled
    more = [DnsblListed(rounds)] if asks else []
    return lambda: Watcher.of(settings, own=read.definitions, more=more, queue=queue)


def _value(settings: Settings, name: str) -> object:
    return attrgetter(name)(settings)


def _library(settings: Settings) -> Library:
    """The patterns in force.  Raises PatternError."""
    own = Path(settings.patterns) if settings.patterns else None
    return in_force(own if own is not None and own.is_dir() else None)


def _settings(file: Path | None) -> Settings:
    return load(file).settings if file is not None else load(must_exist=False).settings


def _told(service: Service) -> str:
    """One line on how it is."""
    status = service.status
    if status.problem:
        return f"cannot store: {status.problem}"
    last = (
        status.last_batch.replace(tzinfo=UTC).isoformat(timespec="seconds") if status.last_batch else "never"
    )
    problems = service.problems()
    more = f"; {problems[0]}" if problems else ""
    return f"{status.lines:,} lines stored since {_when(status.started)}, the last at {last}{more}"


def _when(instant: datetime) -> str:
    return instant.replace(tzinfo=UTC).isoformat(timespec="seconds")
