"""Directories that multilog, s6-log and svlogd keep: the live file ``current`` of each mail service.

In: a host's files.  Out: the ``current`` files, by two ways: the places where qmail's handbooks put them, and
the ``log/run`` scripts of supervised services, which name their directories.

A directory under /var/log/qmail, /var/qmail or a directory of that kind holds mail logs.  Elsewhere (a DNS
cache keeps the same kind of directory) the service's name must sound like mail.
Source: multilog(8) of daemontools 0.76, s6-log, svlogd(8); Life with qmail; the notqmail and runit documents.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import Final

from mailscope.intake.discovery.files import HostFiles, State, state
from mailscope.intake.discovery.found import Found

_QMAIL_PLACES: Final = ("/var/log/qmail", "/var/log/qmail/*", "/var/qmail/supervise/*/log/main")
_OTHER_PLACES: Final = (
    "/service/*/log/main",
    "/etc/service/*/log/main",
    "/var/service/*/log/main",
    "/var/multilog/*",
    "/var/log/*",
    "/var/log/multilog/*",
    "/var/log/s6/*",
    "/var/log/sv/*",
)
_RUN_SCRIPTS: Final = (
    "/service/*/log/run",
    "/etc/service/*/log/run",
    "/var/service/*/log/run",
    "/etc/sv/*/log/run",
    "/var/qmail/supervise/*/log/run",
)
_LOGGERS: Final = ("multilog", "s6-log", "svlogd")
_MAIL_NAME: Final = re.compile(
    r"mail|smtp|pop3|imap|lmtp|submission|postfix|dovecot|courier|qpsmtpd|amavis|spam|clam|rspamd|dkim|vpop"
)


def find(host: HostFiles) -> list[Found]:
    """Give each mail service's live log once, with the directory in its reason."""
    certain = [path for pattern in _QMAIL_PLACES for path in host.glob(pattern)]
    for pattern in _RUN_SCRIPTS:
        for script in host.glob(pattern):
            if _sounds_like_mail(host, script.parent.parent):
                certain += _named_in(host, script)
    guessed = [
        path for pattern in _OTHER_PLACES for path in host.glob(pattern) if _sounds_like_mail(host, path)
    ]
    # multilog makes its directories 0700.  In one that is closed to us, state() finds an unreadable file;
    # that is said of a directory which surely is a log's, and not of one that only has a name like mail.
    there = [path for path in certain if state(path / "current") is not State.MISSING]
    there += [path for path in guessed if os.path.lexists(path / "current")]
    return [
        Found(path / "current", f"multilog: the directory {host.shown(path)}")
        for path in dict.fromkeys(there)
    ]


def _sounds_like_mail(host: HostFiles, directory: Path) -> bool:
    """Whether the service that the directory belongs to has to do with mail, by its name alone."""
    parts = [part for part in host.shown(directory).lower().split("/")[2:] if part not in ("log", "main")]
    return bool(parts) and _MAIL_NAME.search(parts[-1]) is not None


def _named_in(host: HostFiles, script: Path) -> list[Path]:
    """Give the directories that a log/run script hands to its logger; they may be relative to it."""
    text = host.read(script, "a supervised service") or ""
    found: list[Path] = []
    for line in text.replace("\\\n", " ").split("\n"):
        try:
            words = shlex.split(line, comments=True)
        except ValueError:  # a quote that ends on another line
            continue
        logger = next((at for at, word in enumerate(words) if os.path.basename(word) in _LOGGERS), None)
        if logger is None:
            continue
        for word in words[logger + 1 :]:
            if word.startswith("/") and "$" not in word:
                found.append(host.path(word))
            elif re.match(r"\.\.?(?:/|$)", word) and "$" not in word:
                found.append(Path(os.path.normpath(script.parent / word)))
    return found
