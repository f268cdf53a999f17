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

A facility given as a number counts as in the C source: the code times eight (mail is 16).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from mailscope.intake.discovery.probes import FACILITIES, SEVERITIES

_ALL: Final = frozenset(range(8))
_NONE: Final = frozenset[int]()
_FACILITY_ALIASES: Final = {"security": "auth"}  # on Linux; the BSDs have a facility of that name
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
    taken = [_NONE] * len(FACILITIES)
    end = 0
    for match in _FIELD_RE.finditer(text):
        if match.start() != end:
            break
        end = match.end()
        names, operators, level = match[1].lower(), match[2], match[3].lower()
        for facility in _facilities(names, dialect):
            if dialect is Dialect.LINUX:
                taken[facility] = _linux(taken[facility], operators, level)
            else:
                taken[facility] = _bsd(operators, level)
    if end == 0 or end != len(text):
        raise ValueError(f"no selector: {text}")
    return Selector(tuple(taken))


def _linux(taken: frozenset[int], operators: str, level: str) -> frozenset[int]:
    if operators not in ("", "=", "!", "!="):
        raise ValueError(f"no such operator: {operators}")
    negated = operators.startswith("!")
    if level == "none":
        return _ALL if negated else _NONE
    if level == "*":
        return _NONE if negated else _ALL
    code = _severity(level)
    meant = frozenset([code]) if "=" in operators else frozenset(range(code + 1))
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
        code = _severity(level)
        compare = compare or ">="  # "greater" is more urgent, that is, a smaller code
        meant = frozenset(
            other
            for other in _ALL
            if (other < code and ">" in compare)
            or (other == code and "=" in compare)
            or (other > code and "<" in compare)
        )
    return _ALL - meant if operators.startswith("!") else meant


def _facilities(names: str, dialect: Dialect) -> list[int]:
    codes: list[int] = []
    for name in filter(None, names.split(",")):
        if name == "*":
            codes.extend(range(len(FACILITIES)))
        elif name == "mark":  # syslogd's own clock ticks: no line that a program writes
            continue
        elif name.isascii() and name.isdigit():
            codes.append(int(name) >> 3)
        else:
            alias = _FACILITY_ALIASES.get(name, name) if dialect is Dialect.LINUX else name
            if alias not in FACILITIES:
                raise ValueError(f"no such facility: {name}")
            codes.append(FACILITIES.index(alias))
    if any(code >= len(FACILITIES) for code in codes):
        raise ValueError(f"no such facility: {names}")
    return codes


def _severity(level: str) -> int:
    if level.isascii() and level.isdigit() and int(level) < len(SEVERITIES):
        return int(level)
    name = _SEVERITY_ALIASES.get(level, level)
    if name not in SEVERITIES:
        raise ValueError(f"no such severity: {level}")
    return SEVERITIES.index(name)
