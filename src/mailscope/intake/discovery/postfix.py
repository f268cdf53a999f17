"""Log files that Postfix writes itself: maillog_file (Postfix 3.4 and later) of every instance.

In: a host's files.  Out: the files; an empty value means syslog, and /dev/stdout is no log.
Source: Postfix 3.7.11, MAILLOG_README, MULTI_INSTANCE_README, global/maillog_client.c.
"""

from __future__ import annotations

import re
from typing import Final

from mailscope.intake.discovery.files import HostFiles
from mailscope.intake.discovery.found import Found
from mailscope.intake.discovery.main_cf import MainCf

_DIRECTORIES: Final = (
    "/etc/postfix",
    "/usr/local/etc/postfix",
    "/usr/pkg/etc/postfix",
    "/opt/pkg/etc/postfix",
)


def find(host: HostFiles) -> list[Found]:
    """Give the log file of each instance, the primary one first."""
    found: list[Found] = []
    waiting, seen = list(_DIRECTORIES), set[str]()
    while waiting:
        directory = waiting.pop(0).rstrip("/")
        path = host.path(f"{directory}/main.cf")
        text = None if directory in seen else host.read(path, "Postfix")
        seen.add(directory)
        if text is None:
            continue
        main_cf = MainCf(text)
        instances = re.split(r"[\s,]+", main_cf.value("multi_instance_directories") or "")
        waiting = [name for name in instances if name.startswith("/")] + waiting
        log = main_cf.value("maillog_file")
        if log and log.startswith("/") and not log.startswith("/dev/"):
            where = f"{host.shown(path)} line {main_cf.lines['maillog_file']}"
            found.append(Found(host.path(log), f"Postfix: maillog_file in {where}"))
    return found
