"""A small log of several programs, and what is told about something in it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from running import NOW, UTC_ZONE, library

from mailscope.about.collect import Collector
from mailscope.about.gather import gather
from mailscope.about.picture import picture
from mailscope.about.subject import read_subject
from mailscope.intake.files import expand
from mailscope.intake.sources import Sources
from mailscope.sequence.selection import Selection
from mailscope.trails.search.window import Window

LOG = """\
2026-11-22T03:50:01+00:00 mx1 postfix/smtpd[10]: connect from unknown[192.0.2.66]
2026-11-22T03:50:02+00:00 mx1 postfix/smtpd[10]: warning: unknown[192.0.2.66]: SASL LOGIN authentication failed: x
2026-11-22T03:50:03+00:00 mx1 postfix/smtpd[10]: warning: unknown[192.0.2.66]: SASL LOGIN authentication failed: x alice
2026-11-22T03:50:04+00:00 mx1 dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<alice>, \
method=PLAIN, rip=192.0.2.66, lip=192.0.2.25, TLS, session=<a>
2026-11-22T03:55:00+00:00 mx1 dovecot: imap-login: Login: user=<alice>, method=PLAIN, rip=192.0.2.66, lip=192.0.2.25, \
mpid=1, TLS, session=<b>
2026-11-22T03:56:00+00:00 mx1 postfix/smtpd[11]: connect from unknown[2001:db8:1::66]
2026-11-22T03:56:00+00:00 mx1 postfix/smtpd[11]: 4B5C61F00D: client=pc.example.com[198.51.100.4]
2026-11-22T03:56:01+00:00 mx1 postfix/qmgr[12]: 4B5C61F00D: from=<alice@example.org>, size=912, nrcpt=1 (queue active)
2026-11-22T03:56:02+00:00 mx1 postfix/smtp[13]: 4B5C61F00D: to=<bob@example.net>, relay=mx.example.com[203.0.113.25]:25, \
delay=1.2, delays=0.05/0.01/0.64/0.5, dsn=2.0.0, status=sent (250 2.0.0 Ok)
2026-11-22T03:56:03+00:00 mx1 postfix/qmgr[12]: 4B5C61F00D: removed
2026-11-22T04:05:00+00:00 mx1 postfix/smtpd[10]: NOQUEUE: reject: RCPT from unknown[192.0.2.66]: 554 5.7.1 <x@example.com>: \
Relay access denied; from=<y@example.com> to=<x@example.com> proto=ESMTP helo=<pc>
2026-11-22T04:10:00+00:00 mx1 thing: alice did something at 192.0.2.66
"""


def told(where: Path, subject: str, since: str | None = None) -> dict[str, Any]:
    """What is told about it; ``where``: a directory of logs, or an empty one for the log of this module."""
    if not any(where.iterdir()):
        (where / "mail.log").write_text(LOG)
    asked = read_subject(subject)
    sources = Sources(expand([str(where)]).sources, UTC_ZONE, NOW)
    selection = Selection(datetime.fromisoformat(since) if since else None)
    window = Window(selection.since, None, (), UTC_ZONE, NOW)
    collector = Collector(asked, UTC_ZONE)
    collector.collect(gather(asked, sources, library(), selection, window).batches())
    return picture(collector, 10)
