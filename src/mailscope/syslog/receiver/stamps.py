"""The forms of stamps that stand in syslog messages, and the instants that we write ourselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
CLOCK: Final = rb"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)"
FRACTION: Final = rb"(?:[.,][0-9]{1,9})?"
MONTH_DAY: Final = rb"(?:%s) {1,2}(?:3[01]|[12][0-9]|0?[1-9])" % "|".join(MONTHS).encode()
# RFC 3164 section 4.1.2; with a year, a fraction or a colon behind it as network equipment writes it.
BSD: Final = rb"%s (?:[0-9]{4} )?%s%s" % (MONTH_DAY, CLOCK, FRACTION)
DATE: Final = rb"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
# RFC 3339, and ISO 8601 as far as the envelopes read it.
ISO: Final = rb"%s[T ]%s%s(?:Z|[+-][0-9]{2}:?[0-9]{2})?" % (DATE, CLOCK, FRACTION)
# RFC 5424 section 6.2.3; more digits than the six allowed are seen.
PROTOCOL: Final = rb"%sT%s(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})" % (DATE, CLOCK)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def instant(received_us: int) -> datetime:
    """The instant so many microseconds after 1970, UTC."""
    return _EPOCH + timedelta(microseconds=received_us)


def stamp(received_us: int) -> bytes:
    """RFC 3339 with microseconds and the zone, which is UTC."""
    return instant(received_us).isoformat(timespec="microseconds").encode()


def with_year(text: str, received_us: int) -> datetime | None:
    """``Nov 27 10:00:00`` in UTC, in the year nearest to the time of receipt; None for no such day."""
    now = instant(received_us)
    month, day, clock = text.split()
    hour, minute, second = (int(part) for part in clock.split(":"))
    found = []
    for year in (now.year - 1, now.year, now.year + 1):
        try:
            date = datetime(
                year, MONTHS.index(month) + 1, int(day), hour, minute, min(second, 59), tzinfo=UTC
            )
        except ValueError:
            continue  # 29 February
        found.append(date)
    return min(found, key=lambda date: abs(date - now), default=None)
