"""Property-based filters: ``:programname, isequal, "postfix"``, and the properties of a log line.

In: the filter's words.  Out: whether a sample line passes.  Shared by rsyslog (documentation "Filter
Conditions", "rsyslog Properties"), whose expressions ask for the same properties as ``$programname``, and
by sysklogd and FreeBSD (syslog.conf(5), "PROPERTY-BASED FILTERS").

An unknown property or operation lets nothing pass: discovery then misses a log rather than inventing one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from mailscope.intake.discovery.probes import FACILITIES, SEVERITIES, TEXT, Probe

_LOCAL_HOST: Final = "localhost"
_PROPERTIES: Final[dict[str, Callable[[Probe], str]]] = {
    **dict.fromkeys(("programname", "app-name"), lambda probe: probe.program),
    "syslogtag": lambda probe: f"{probe.tag}[1234]:",
    **dict.fromkeys(("msg", "rawmsg", "rawmsg-after-pri", "message"), lambda _: TEXT),
    **dict.fromkeys(("hostname", "source", "fromhost"), lambda _: _LOCAL_HOST),
    "fromhost-ip": lambda _: "127.0.0.1",
    "inputname": lambda _: "imuxsock",
    "procid": lambda _: "1234",
    "syslogfacility": lambda probe: str(probe.facility),
    "syslogfacility-text": lambda probe: FACILITIES[probe.facility],
    **dict.fromkeys(("syslogseverity", "syslogpriority"), lambda probe: str(probe.severity)),
    **dict.fromkeys(("syslogseverity-text", "syslogpriority-text"), lambda probe: SEVERITIES[probe.severity]),
    "pri": lambda probe: str(probe.facility * 8 + probe.severity),
    "pri-text": lambda probe: f"{FACILITIES[probe.facility]}.{SEVERITIES[probe.severity]}",
}
_OPERATIONS: Final[dict[str, Callable[[str, str], bool]]] = {
    "contains": lambda have, want: want in have,
    "isequal": lambda have, want: have == want,
    "isempty": lambda have, _: not have,
    "startswith": str.startswith,
    "endswith": str.endswith,
    "regex": lambda have, want: matches(want, have),
    "ereregex": lambda have, want: matches(want, have),
}
PROPERTY_FILTER: Final = re.compile(r':\s*\$?([a-zA-Z-]+)\s*,\s*(!?[a-zA-Z_]+)\s*,\s*"((?:\\"|[^"])*)"')


def property_of(probe: Probe, name: str) -> str | None:
    """Give a property's value, None if no such property is known."""
    getter = _PROPERTIES.get(name.lower().removeprefix("$"))
    return getter(probe) if getter else None


def property_filter(name: str, operation: str, value: str) -> Callable[[Probe], bool]:
    """Make a test for sample lines of a filter's three parts."""
    negated, word = operation.startswith("!"), operation.lstrip("!").lower()
    compare = _OPERATIONS.get(word.removeprefix("icase_"))
    value = value.replace('\\"', '"').replace("\\\\", "\\")

    def passes(probe: Probe) -> bool:
        have = property_of(probe, name)
        if have is None or compare is None:
            return False
        if word.startswith("icase_"):
            return compare(have.lower(), value.lower()) != negated
        return compare(have, value) != negated

    return passes


def matches(pattern: str, text: str) -> bool:
    """Say whether an administrator's regular expression is found; one that Python cannot read is not."""
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False
