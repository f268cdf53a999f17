"""Instants as they are kept: naive UTC, by one clock."""

from __future__ import annotations

from datetime import UTC, datetime


def naive_now() -> datetime:
    """The host's clock, naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


def naive(instant: datetime) -> datetime:
    """An aware instant as naive UTC."""
    return instant.astimezone(UTC).replace(tzinfo=None)
