"""Instants as they are kept: naive UTC, by one clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1)
MICROSECOND: Final = timedelta(microseconds=1)


def naive_now() -> datetime:
    """The host's clock, naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


def naive(instant: datetime) -> datetime:
    """An aware instant as naive UTC."""
    return instant.astimezone(UTC).replace(tzinfo=None)


def asked_naive(instant: datetime | None) -> datetime | None:
    """An instant that was asked for as naive UTC; one without a zone is that already."""
    return naive(instant) if instant is not None and instant.tzinfo else instant


def micros(instant: datetime) -> int:
    """Microseconds since 1970 of a naive instant in UTC."""
    return (instant - EPOCH) // MICROSECOND


def of_micros(count: int) -> datetime:
    """The naive instant in UTC so many microseconds after 1970 began."""
    return EPOCH + count * MICROSECOND
