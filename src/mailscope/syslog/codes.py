"""Facilities and severities by name or number, as people write them.

Source: syslog(3), <syslog.h>; the names of the BSDs are known too.
"""

from __future__ import annotations

from typing import Final

from mailscope.intake.discovery.probes import FACILITIES, SEVERITIES
from mailscope.vocabulary.errors import UsageError

ALIASES: Final = {"panic": "emerg", "error": "err", "warn": "warning"}


def facility_code(text: str, where: str) -> int:
    """The code (mail: 2) of a facility's name or of its number.  Raises UsageError, which names ``where``."""
    name = text.lower()
    if name in FACILITIES:
        return FACILITIES.index(name)
    if name.isascii() and name.isdigit() and int(name) < len(FACILITIES):
        return int(name)
    raise UsageError(f"unknown facility '{text}'", where, f"one of {', '.join(FACILITIES)}")


def severity_code(text: str, where: str) -> int:
    """The code (info: 6) of a severity's name or of its number.  Raises UsageError, which names ``where``."""
    name = ALIASES.get(text.lower(), text.lower())
    if name in SEVERITIES:
        return SEVERITIES.index(name)
    if name.isascii() and name.isdigit() and int(name) < len(SEVERITIES):
        return int(name)
    raise UsageError(f"unknown priority '{text}'", where, f"one of {', '.join(SEVERITIES)}")
