"""Which lines may be of the time and hosts that a person asked for, told from their first bytes.

Only to choose which messages to follow first: where the bytes do not tell (a stamp without a year, a form
that is not known here) a line may be.  What is really in the span is decided when times are known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from mailscope.trails.search.marks import place
from mailscope.vocabulary.instants import naive

# For the hour that happens twice, and clocks that are not quite right.
SLACK: Final = timedelta(hours=2)
MONTHS: Final = {
    name.encode(): number
    for number, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1
    )
}
LONGEST_YEARS: Final = 30
_BSD: Final = re.compile(rb"(?:<[^>]{1,20}>)?([A-Z][a-z]{2}) ([ 0-9][0-9]) ([0-9]{2}):([0-9]{2}):([0-9]{2})")
_ISO: Final = re.compile(
    rb"(?:<[0-9]{1,3}>[0-9]{1,2} )?([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})"
    rb"(?:[.,][0-9]+)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_TAI: Final = re.compile(rb"@([0-9a-f]{16})[0-9a-f]{8}")
_EPOCH: Final = re.compile(rb"([0-9]{9,11})\.[0-9]{6,9}[ +]")


@dataclass(frozen=True)
class Window:
    """``since`` and ``until`` are naive UTC, None for open; ``zone`` is that of stamps without one."""

    since: datetime | None
    until: datetime | None
    hosts: Sequence[str]
    zone: ZoneInfo
    now: datetime

    @property
    def everything(self) -> bool:
        """Whether no line is left out."""
        return self.since is None and self.until is None and not self.hosts

    def may_hold(self, line: bytes) -> bool:
        """Whether a line may be of the time and one of the hosts."""
        if self.hosts:
            host = place(line)
            if host and host.decode("utf-8", "replace").lower() not in {name.lower() for name in self.hosts}:
                return False
        if self.since is None and self.until is None:
            return True
        try:
            instants = self._instants(line)
        except (ValueError, OverflowError):  # the 31st of February, a stamp beyond the calendar
            return True
        return not instants or any(self._in_span(instant) for instant in instants)

    def _in_span(self, instant: datetime) -> bool:
        return (self.since is None or instant >= self.since - SLACK) and (
            self.until is None or instant < self.until + SLACK
        )

    def _instants(self, line: bytes) -> list[datetime]:
        """The instants that a line's stamp may mean; none where it is not known."""
        if found := _BSD.match(line):
            month = MONTHS.get(found[1])
            if month is None:
                return []
            first = self.since.year - 1 if self.since else self.now.year - LONGEST_YEARS
            last = (self.until or self.now).year + 1
            day, hour, minute, second = (int(found[number]) for number in (2, 3, 4, 5))
            return [
                self._utc(datetime(year, month, day, hour, minute, min(second, 59)))
                for year in range(first, last + 1)
                if (month, day) != (2, 29) or (year % 4 == 0 and (year % 100 or year % 400 == 0))
            ]
        if found := _ISO.match(line):
            wall = datetime.fromisoformat(
                f"{found[1].decode()} {found[2].decode()}{(found[3] or b'').decode()}"
            )
            return [self._utc(wall)]
        if found := _TAI.match(line):
            return [naive(datetime.fromtimestamp(int(found[1], 16) - (1 << 62) - 10, UTC))]
        if found := _EPOCH.match(line):
            return [naive(datetime.fromtimestamp(int(found[1]), UTC))]
        return []

    def _utc(self, wall: datetime) -> datetime:
        aware = wall if wall.tzinfo else wall.replace(tzinfo=self.zone)
        return naive(aware)
