"""Which mail logs to read when none is named: the host's own.

In: the root directory of a host (``/``, or another one for tests and mounted images).  Out: its live mail
logs in the order in which they are worth reading, each with the reason why it is one, and those that are
there but may not be read.

1. what is configured: Postfix's maillog_file; rsyslog, syslog-ng and syslog.conf rules for the mail facility;
2. if that gives nothing, the usual places under /var/log;
3. directories of multilog and its kin that belong to mail services, always;
4. if all that gives nothing, the system journal (a Found of the kind ``journal``).

Of a daemon's several logs only those are given that hold all the mail between them: mail.* and not mail.err
beside it, a log for mail and not the one for everything.  Rotated siblings are not given: the reader
of files finds those.  A log that a rule names but that does not exist is passed over.

It reads configuration only: whether the daemon runs, and whether the log is fresh, is not asked.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from mailscope.intake.discovery import (
    journal,
    multilog,
    postfix,
    rsyslog,
    syslog_conf,
    syslog_ng,
    usual_places,
)
from mailscope.intake.discovery.files import HostFiles, State, state
from mailscope.intake.discovery.found import Discovery, Found
from mailscope.intake.discovery.probes import Sink, fullest

__all__ = ["Discovery", "Found", "discover"]

_DAEMONS: Final[tuple[Callable[[HostFiles], list[Sink]], ...]] = (
    rsyslog.find,
    syslog_ng.find,
    syslog_conf.find,
)


def discover(root: Path = Path("/")) -> Discovery:
    """Find a host's mail logs.  It raises nothing: what cannot be read is in the result."""
    host = HostFiles(root)
    configured = postfix.find(host)
    for daemon in _DAEMONS:
        existing = [sink for sink in daemon(host) if state(sink.path) is not State.MISSING]
        configured += [Found(sink.path, sink.why) for sink in fullest(existing)]
    configured = [found for found in configured if state(found.path) is not State.MISSING]
    logs = _distinct([*(configured or usual_places.find(host)), *multilog.find(host)])

    found = [log for log in logs if state(log.path) is State.READABLE]
    unreadable = [log for log in logs if state(log.path) is State.UNREADABLE]
    if not found and not unreadable and (system_journal := journal.find(host)):
        (found if system_journal[1] is State.READABLE else unreadable).append(system_journal[0])
    return Discovery(tuple(found), (*unreadable, *host.unreadable))


def _distinct(logs: list[Found]) -> list[Found]:
    """Keep the first of each file: one log may have several names, and two daemons one log."""
    kept: dict[tuple[int, int] | Path, Found] = {}
    for log in logs:
        key: tuple[int, int] | Path
        try:
            status = log.path.stat()
            key = status.st_dev, status.st_ino
        except OSError:
            key = log.path
        kept.setdefault(key, log)
    return list(kept.values())
