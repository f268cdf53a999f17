"""What to make."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

SECOND = 1_000_000  # all instants and durations are in microseconds
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

FQDN = "mail.example.org"
DOMAIN = "example.org"
FULL_DAYS, FULL_INCIDENTS = 28, 20


@dataclass(frozen=True)
class Plan:
    """A simulation; the same plan gives the same bytes."""

    days: int = 28
    users: int = 300
    seed: int = 1
    start: str = "2026-02-02"  # a Monday
    incidents: tuple[str, ...] | None = None  # names of variants; None: as many kinds as fit

    @property
    def begin(self) -> int:
        """Give the first instant, in microseconds since 1970."""
        return int(datetime.fromisoformat(self.start).replace(tzinfo=UTC).timestamp()) * SECOND

    @property
    def end(self) -> int:
        """Give the instant after the last one."""
        return self.begin + self.days * DAY

    def weekday(self, day: int) -> int:
        """Give the weekday of a day of the simulation, Monday being 0."""
        return (datetime.fromisoformat(self.start).weekday() + day) % 7
