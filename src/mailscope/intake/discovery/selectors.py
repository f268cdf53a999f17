"""Selectors of syslog.conf(5): ``mail.info;news.none``, evaluated for every facility.

In: a selector and its dialect.  Out: which severities it takes.  Errors: ValueError for a name that does
not exist; syslogd then ignores the whole rule.

Linux (sysklogd, inetutils, rsyslog): ``facility{,facility}.[!][=]level``, joined by ``;``.  Fields are
worked off from left to right on a set of severities per facility; plain ones add, ``!`` and ``none``
remove, so ``*.debug;mail.err`` takes all of mail.  Source: sysklogd syslogd.c and rsyslog
runtime/conf.c, DecodePRIFilter.

BSD: ``facility{,facility}.[!][<=>]level``; a later field replaces what an earlier one said of its
facility, so ``*.debug;mail.err`` takes of mail only err and above.  Source: FreeBSD
usr.sbin/syslogd/syslogd.c, parse_selector.

A facility given as a number counts as in the C source: the code times eight (mail is 16).  So do levels: from
8 on they mean all, but for 16, which is what ``none`` is there.  syslogd's own clock ticks are the facility
``mark``, behind all others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from mailscope.intake.discovery.probes import FACILITIES, SEVERITIES

_ALL: Final = frozenset(range(8))
_NONE: Final = frozenset[int]()
MARK: Final = len(FACILITIES)
# On Linux; the BSDs have a facility "security".  The others are rsyslog's names.
_FACILITY_ALIASES: Final = {"security": "auth", "bsd_security": "security", "cron_sol": "cron2"}
_NO_PRIORITY: Final = 16
_SEVERITY_ALIASES: Final = {"panic": "emerg", "error": "err", "warn": "warning"}
_FIELD_RE: Final = re.compile(r"([^.;\s]+)\.([!<=>]*)([^,;\s]+)(?:[,;]+|$)")


class Dialect(Enum):
    """Which family's rules hold."""

    LINUX = "linux"
    BSD = "bsd"


@dataclass(frozen=True, slots=True)
class Selector:
    """The severities that a selector takes, per facility code."""

    taken: tuple[frozenset[int], ...]

    def takes(self, facility: int, severity: int) -> bool:
        """Say whether a line of these codes is taken."""
        return facility < len(self.taken) and severity in self.taken[facility]


def parse_selector(text: str, dialect: Dialect) -> Selector:
    """Read a selector.  Errors: ValueError when it is none."""
    selector, fault = selector_so_far(text, dialect)
    if fault:
        raise ValueError(fault)
    return selector


def selector_so_far(text: str, dialect: Dialect) -> tuple[Selector, str]:
    """Read a selector as far as it is one, as rsyslog does; and what is wrong behind that, if anything is."""
    taken = [_NONE] * (MARK + 1)
    end, fault = 0, ""
    try:
        for match in _FIELD_RE.finditer(text):
            if match.start() != end:
                break
            names, operators, level = match[1].lower(), match[2], match[3].lower()
            for facility in _facilities(names, dialect):
                if dialect is Dialect.LINUX:
                    taken[facility] = _linux(taken[facility], operators, level)
                else:
                    taken[facility] = _bsd(operators, level)
            end = match.end()
        if end == 0 or end != len(text):
            fault = f"no selector: {text[end:]}"
    except ValueError as error:
        fault = str(error)
    return Selector(tuple(taken)), fault


def _linux(taken: frozenset[int], operators: str, level: str) -> frozenset[int]:
    if operators not in ("", "=", "!", "!="):
        raise ValueError(f"no such operator: {operators}")
    negated = operators.startswith("!")
    if level == "none":
        return _ALL if negated else _NONE
    if level == "*":
        # "Only all" is the 255th severity to them: there is none to add or to remove.
        return taken if "=" in operators else _NONE if negated else _ALL
    code = _severity(level, 31)
    if code == _NO_PRIORITY:
        return _ALL if negated else _NONE
    meant = (frozenset([code]) if "=" in operators else frozenset(range(code + 1))) & _ALL
    return taken - meant if negated else taken | meant


def _bsd(operators: str, level: str) -> frozenset[int]:
    compare = operators.removeprefix("!")
    if not set(compare) <= set("<=>"):
        raise ValueError(f"no such operator: {operators}")
    if level == "none":
        return _NONE
    if level == "*":
        meant = _ALL
    else:
        code = _severity(level, len(SEVERITIES) - 1)
        compare = compare or ">="  # "greater" is more urgent, that is, a smaller code
        meant = frozenset(
            other
            for other in _ALL
            if (other < code and ">" in compare)
            or (other == code and "=" in compare)
            or (other > code and "<" in compare)
        )
    return _ALL - meant if operators.startswith("!") else meant


def _facilities(names: str, dialect: Dialect) -> Iterator[int]:
    for name in filter(None, names.split(",")):
        if name == "*":
            # The BSDs' syslogd leaves its clock ticks out.
            yield from range(MARK + (dialect is Dialect.LINUX))
        elif name == "mark":
            yield MARK
        elif name.isascii() and name.isdigit():
            if int(name) >> 3 >= len(FACILITIES):
                raise ValueError(f"no such facility: {name}")
            yield int(name) >> 3
        else:
            alias = _FACILITY_ALIASES.get(name, name) if dialect is Dialect.LINUX else name
            if alias not in FACILITIES:
                raise ValueError(f"no such facility: {name}")
            yield FACILITIES.index(alias)


def _severity(level: str, largest: int) -> int:
    if level.isascii() and level.isdigit() and int(level) <= largest:
        return int(level)
    name = _SEVERITY_ALIASES.get(level, level)
    if name not in SEVERITIES:
        raise ValueError(f"no such severity: {level}")
    return SEVERITIES.index(name)
