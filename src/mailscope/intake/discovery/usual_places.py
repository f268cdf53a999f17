"""Where mail logs usually are, for hosts whose configuration says nothing.

In: a host's files.  Out: the fullest log of each place.  Debian and its kin write mail.log, Red Hat and the
BSDs maillog, SUSE and Slackware mail or maillog, metalog and OpenRC systems a directory.
"""

from __future__ import annotations

import os
from typing import Final

from mailscope.intake.discovery.files import HostFiles, State, state
from mailscope.intake.discovery.found import Found

# Of each row only the first that is there: the others hold a part of it.
_PLACES: Final = (
    ("/var/log/mail.log", "/var/log/mail.info"),
    ("/var/log/maillog",),
    ("/var/log/mail",),
    *(
        tuple(f"{directory}/{name}" for name in ("mail.log", "maillog", "mail.info", "info.log", "info"))
        for directory in ("/var/log/mail", "/var/log/postfix")
    ),
    ("/var/log/mail/current",),
    ("/var/adm/maillog", "/var/adm/mail.log"),
)


def find(host: HostFiles) -> list[Found]:
    """Give the logs that are there, readable or not."""
    found: list[Found] = []
    for names in _PLACES:
        there = [path for path in map(host.path, names) if state(path) is not State.MISSING]
        if there:
            found.append(Found(there[0], f"the usual place for mail logs, {os.path.dirname(names[0])}"))
    return found
