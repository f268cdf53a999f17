"""Why recipients wait, from the log that Exim keeps of each message (msglog).

    2026-11-27 18:47:03 c@example.org R=dnslookup T=remote_smtp defer (111): Connection refused

Source: deliver.c of Exim 4.96 (deferral and msglog lines) and the chapter "Log files" of the specification.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

_LINE: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?(?: ([+-][0-9]{4}))? "
    r"(.*?) (?:[a-z]+ )?defer \((-?[0-9]+)\)([^:]*): (.*)"
)
_ORIGINAL: Final = re.compile(r"<([^<>]*)>")
_HOST: Final = re.compile(r"\bH=([^ ]+)")
_STATUS: Final = re.compile(r"\b([245]\.[0-9]{1,3}\.[0-9]{1,3})\b")
# ERRNO_RRETRY, ERRNO_LRETRY, ERRNO_HRETRY of macros.h: it was not tried, and the reason stands before.
NOT_TRIED: Final = frozenset({-52, -53, -54})


@dataclass(slots=True)
class Deferral:
    """``count``: how often the recipient was tried and put off; ``last``: when, in seconds since 1970."""

    reason: str = ""
    dsn_status: str = ""
    relay_host: str = ""
    count: int = 0
    last: float | None = None


def deferrals(data: bytes, zone: tzinfo) -> dict[str, Deferral]:
    """What the log says of each recipient that was put off; times without a zone are in ``zone``."""
    found: dict[str, Deferral] = {}
    for line in data.decode("utf-8", "surrogateescape").split("\n"):
        match = _LINE.match(line)
        if match is None:
            continue
        stamp, offset, who, code, more, reason = match.groups()
        original = _ORIGINAL.search(who)
        address = original[1] if original else who.partition(" R=")[0].partition(" ")[0]
        entry = found.setdefault(address, Deferral())
        if int(code) in NOT_TRIED and entry.reason:
            continue
        entry.reason = reason
        status, host = _STATUS.search(reason), _HOST.search(who + more)
        entry.dsn_status = status[1] if status else ""
        entry.relay_host = host[1] if host else ""
        if int(code) not in NOT_TRIED:
            entry.count += 1
            entry.last = _instant(stamp, offset, zone)
    return found


def _instant(stamp: str, offset: str | None, zone: tzinfo) -> float | None:
    try:
        if offset:
            return datetime.strptime(stamp + offset, "%Y-%m-%d %H:%M:%S%z").timestamp()
        return datetime.fromisoformat(stamp).replace(tzinfo=zone).timestamp()
    except ValueError:
        return None
