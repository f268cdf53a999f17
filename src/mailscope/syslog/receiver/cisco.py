"""Cisco's forms, in which a number may stand before the stamp and a colon behind it.

    <189>29: 000030: mx1: *Nov 27 10:00:00.123 UTC: %SYS-5-CONFIG_I: Configured      IOS
    <189>: 2026 Nov 27 10:00:00 UTC: %ETHPORT-5-IF_UP: up                            NX-OS
    <166>Nov 27 2026 10:00:00 fw1 : %ASA-6-302013: Built                            ASA
    <189>46: 00:00:46: %LINK-3-UPDOWN: up                                           time since the start

Out: stamp, host and the rest from ``%`` on, which gives the tag.  The numbers count the messages of the
device and are left out.  A star says that the clock was never set: such a stamp is none.  ``UTC`` and
``GMT`` are zones; other short names belong to several zones, and the stamp is taken as the log's.

Source: Cisco's "System Message Logging" and "service timestamps" (IOS), "Syslog Message Format" (ASA, NX-OS).
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from mailscope.syslog.receiver.stamps import CLOCK, FRACTION, MONTH_DAY, with_year

# What every one of them has; looked for first.
MARK: Final = re.compile(rb": ?%[A-Z0-9_]+(?:-[A-Z0-9_]+)*-[0-7]-[A-Z0-9_]+:")
_NAME: Final = rb"[0-9A-Za-z](?:[0-9A-Za-z._-]*[0-9A-Za-z])?"
_SINCE_START: Final = rb"[0-9]{2}:[0-9]{2}:[0-9]{2}|(?:[0-9]{1,3}[ywdh]){1,2}"
_FORM: Final = re.compile(
    rb" ?(?:(?:[0-9]{1,10})?: ?){0,2}(?:(?P<host>%(name)s): )?"
    rb"(?:(?P<unset>[*.])?(?:(?P<before>[0-9]{4}) )?(?P<day>%(day)s) (?:(?P<after>[0-9]{4}) )?"
    rb"(?P<clock>%(clock)s)(?P<fraction>%(fraction)s)(?: (?P<zone>[A-Z]{1,5}))?|%(since)s)"
    rb"(?: (?P<later_host>%(name)s) ?)?: ?(?P<rest>%%.*)\Z"
    % {b"name": _NAME, b"day": MONTH_DAY, b"clock": CLOCK, b"fraction": FRACTION, b"since": _SINCE_START},
    re.DOTALL,
)


class Parts(NamedTuple):
    """What a message says of itself; None for what it does not say."""

    stamp: bytes | None
    host: bytes | None
    rest: bytes


def parts(text: bytes, received_us: int) -> Parts | None:
    """A message without its priority taken apart; None if it is not of these forms."""
    if b"%" not in text or not MARK.search(text):
        return None
    found = _FORM.match(text)
    if found is None:
        return None
    return Parts(_stamp(found, received_us), found["host"] or found["later_host"], found["rest"])


def _stamp(found: re.Match[bytes], received_us: int) -> bytes | None:
    if found["day"] is None or found["unset"] == b"*":
        return None
    year = found["before"] or found["after"]
    day, clock = found["day"], found["clock"]
    if found["zone"] in (b"UTC", b"GMT"):
        told = with_year((day + b" " + clock).decode(), received_us)
        if told is None:
            return None
        date = (year or b"%d" % told.year) + told.strftime("-%m-%d").encode()
        return date + b"T" + clock + found["fraction"].replace(b",", b".") + b"Z"
    return b" ".join(filter(None, (day, year, clock + found["fraction"])))
