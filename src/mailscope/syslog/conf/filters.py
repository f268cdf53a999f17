"""Conditions beside selectors: programs, hosts and properties.

    !prog,prog  !-prog  !*          programs (the BSDs and sysklogd)
    +host,@  -host  +*              hosts; @ is this one
    :property, [!][icase_]operation, "value"     (for rules behind it; rsyslog: for one)

What is not known (a property, an operation) fits nothing, and is remarked on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from mailscope.intake.discovery.probes import FACILITIES, SEVERITIES
from mailscope.syslog.conf.rules import Filter
from mailscope.syslog.record import Record

PROPERTY: Final = re.compile(r':\s*\$?([a-zA-Z-]+)\s*,\s*(!?[a-zA-Z_]+)\s*,\s*"((?:\\.|[^"\\])*)"')
_GETTERS: Final[dict[str, Callable[[Record], bytes]]] = {
    **dict.fromkeys(("msg", "message"), lambda record: record.text),
    **dict.fromkeys(("programname", "app-name"), lambda record: record.program.partition(b"/")[0]),
    **dict.fromkeys(("hostname", "source", "fromhost"), lambda record: record.host),
    "syslogtag": lambda record: record.tag.rstrip(b" "),
    "procid": lambda record: record.process or b"-",
    "msgid": lambda record: record.message_id or b"-",
    **dict.fromkeys(("data", "sd", "structured-data"), lambda record: record.data or b"-"),
    "syslogfacility": lambda record: b"%d" % record.facility,
    "syslogfacility-text": lambda record: FACILITIES[record.facility].encode(),
    **dict.fromkeys(("syslogseverity", "syslogpriority"), lambda record: b"%d" % record.severity),
    **dict.fromkeys(
        ("syslogseverity-text", "syslogpriority-text"), lambda record: SEVERITIES[record.severity].encode()
    ),
    "pri": lambda record: b"%d" % record.priority,
    "pri-text": lambda record: record.name.encode(),
}
_OPERATIONS: Final[dict[str, Callable[[bytes, bytes], bool]]] = {
    "contains": lambda have, want: want in have,
    "isequal": bytes.__eq__,
    "isempty": lambda have, _: not have,
    "startswith": bytes.startswith,
    "endswith": bytes.endswith,
    "regex": lambda have, want: _matches(want, have),
    "ereregex": lambda have, want: _matches(want, have),
}


class UnknownFilter(ValueError):
    """A property or an operation that does not exist."""


def programs(names: str) -> Filter:
    """Messages of some programs, or of all others (``-``)."""
    excluded = names.startswith("-")
    wanted = frozenset(name.strip().encode() for name in names.lstrip("+-").split(","))

    def fits(record: Record) -> bool:
        return bool(wanted & {record.program, record.program.partition(b"/")[0]}) != excluded

    return Filter(f"!{names}", fits)


def hosts(sign: str, names: str, this_host: bytes) -> Filter:
    """Messages of some hosts (``+``), or of all others (``-``)."""
    wanted = frozenset(
        this_host.lower() if name.strip() == "@" else name.strip().lower().encode()
        for name in names.split(",")
    )

    def fits(record: Record) -> bool:
        host = record.host.lower()
        return bool(wanted & {host, host.partition(b".")[0]}) == (sign == "+")

    return Filter(f"{sign}{names}", fits)


def prop(name: str, operation: str, value: str) -> Filter:
    """Messages of which a property is so.  Raises UnknownFilter."""
    negated, word = operation.startswith("!"), operation.lstrip("!").lower()
    ignoring_case = word.startswith("icase_")
    compare = _OPERATIONS.get(word.removeprefix("icase_"))
    getter = _GETTERS.get(name.lower())
    if getter is None:
        raise UnknownFilter(name)
    if compare is None:
        raise UnknownFilter(operation)
    want = re.sub(r"\\(.)", r"\1", value).encode("utf-8", "surrogateescape")
    if word.endswith("regex"):
        want = value.replace('\\"', '"').encode("utf-8", "surrogateescape")
        _compiled(want)
    want = want.lower() if ignoring_case else want

    def fits(record: Record) -> bool:
        have = getter(record)
        return compare(have.lower() if ignoring_case else have, want) != negated

    return Filter(f':{name}, {operation}, "{value}"', fits)


def _compiled(pattern: bytes) -> re.Pattern[bytes]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise UnknownFilter(pattern.decode(errors="replace")) from error


def _matches(pattern: bytes, text: bytes) -> bool:
    return re.search(pattern, text) is not None
