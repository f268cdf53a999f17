"""A syslog message taken apart, as rules ask for its parts and files show it.

In: a line as the receiver makes it: priority, stamp, host and all that follows, in the form of RFC 3164 or
RFC 5424.  Out: its parts, and the line in the forms that files and other hosts get.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final, NamedTuple

from mailscope.intake.discovery.probes import FACILITIES, SEVERITIES
from mailscope.intake.discovery.selectors import MARK
from mailscope.syslog.receiver.relayed import DATA
from mailscope.syslog.receiver.stamps import BSD, ISO, MONTHS

_LINE: Final = re.compile(rb"<([0-9]{1,3})>(?:(1) )?((?:%s)|(?:%s)|-) ([^ ]*) ?(.*)" % (BSD, ISO), re.DOTALL)
_STRUCTURED: Final = re.compile(rb"([^ ]+) ([^ ]+) ([^ ]+) (%s)(?: (.*))?" % DATA, re.DOTALL)
_TAG: Final = re.compile(rb"([^ :\[\]]{1,64})(?:\[([^\]]{0,64})\])?:? ?(.*)", re.DOTALL)
_BOM: Final = b"\xef\xbb\xbf"


class Record(NamedTuple):
    """A message.  ``at``: when it was made; ``program``, ``process``: of its tag, empty without one."""

    facility: int
    severity: int
    at: datetime
    host: bytes
    program: bytes
    process: bytes
    text: bytes
    message_id: bytes = b""
    data: bytes = b""

    @property
    def tag(self) -> bytes:
        """The tag as RFC 3164 has it, with what stands between it and the text."""
        if not self.program:
            return b""
        return b"%b[%b]: " % (self.program, self.process) if self.process else self.program + b": "

    @property
    def name(self) -> str:
        """Facility and severity, as ``mail.info``."""
        facility = "mark" if self.facility == MARK else FACILITIES[self.facility]
        return f"{facility}.{SEVERITIES[self.severity]}"

    @property
    def priority(self) -> int:
        """Facility times 8 and severity."""
        return (self.facility << 3) + self.severity


def parsed(line: bytes) -> Record | None:
    """The message of a line; None where it is none."""
    found = _LINE.fullmatch(line)
    if found is None or int(found[1]) >= len(FACILITIES) * 8:
        return None
    facility, severity = divmod(int(found[1]), 8)
    at, host, rest = _instant(found[3].decode()), found[4], found[5]
    if found[2]:
        parts = _STRUCTURED.fullmatch(rest)
        if parts is not None:
            app, process, message_id, data, text = (part or b"" for part in parts.groups())
            app, process, message_id, data = (
                b"" if part == b"-" else part for part in (app, process, message_id, data)
            )
            text = text.removeprefix(_BOM)
            return Record(facility, severity, at, host, app, process, text, message_id, data)
    tag = _TAG.fullmatch(rest)
    if tag is None or rest[len(tag[1]) : len(tag[1]) + 1] not in (b":", b"["):
        return Record(facility, severity, at, host, b"", b"", rest)
    return Record(facility, severity, at, host, tag[1], tag[2] or b"", tag[3])


def traditional(record: Record) -> bytes:
    """``Nov 27 10:00:00 mx1 postfix/qmgr[7]: text``, in local time (RFC 3164 section 4.1.2)."""
    at = record.at.astimezone()
    stamp = f"{MONTHS[at.month - 1]} {at.day:2} {at:%H:%M:%S}".encode()
    return b"%b %b %b%b" % (stamp, record.host, record.tag, record.text)


def rfc3339(record: Record) -> bytes:
    """The same with a whole date, a fraction and the zone."""
    stamp = record.at.astimezone().isoformat(timespec="microseconds").encode()
    return b"%b %b %b%b" % (stamp, record.host, record.tag, record.text)


def rfc5424(record: Record) -> bytes:
    """The syslog protocol, with its priority in front."""
    stamp = record.at.astimezone().isoformat(timespec="microseconds").encode()
    parts = (record.host, record.program, record.process, record.message_id, record.data)
    named = b" ".join(part or b"-" for part in parts)
    return b"<%d>1 %b %b %b" % (record.priority, stamp, named, record.text)


FORMS: Final = {"traditional": traditional, "rfc3339": rfc3339, "rfc5424": rfc5424}


def _instant(stamp: str) -> datetime:
    """When a message was made; a stamp without a year is of this host's zone and of the nearest year."""
    now = datetime.now(UTC)
    try:
        if stamp[:1].isdigit():
            at = datetime.fromisoformat(stamp.replace(",", "."))
            return at if at.tzinfo else at.astimezone()
        month, day, *rest = stamp.split()
        clock = re.split("[.,]", rest[-1])[0]
        years = [int(rest[0])] if len(rest) > 1 else [now.year - 1, now.year, now.year + 1]
        hour, minute, second = (int(part) for part in clock.split(":"))
        date = (MONTHS.index(month) + 1, int(day), hour, minute, min(second, 59))
        found = [datetime(year, *date).astimezone() for year in years if _is_date(year, *date[:2])]
        return min(found, key=lambda at: abs(at - now))
    except ValueError:
        return now


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        datetime(year, month, day)
    except ValueError:
        return False
    return True
