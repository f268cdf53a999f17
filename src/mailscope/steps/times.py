"""Instants and spans of a way in words that are the same in every language."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from mailscope.steps.way import Clock

DAY_S = 86_400


def lasted(seconds: float) -> str:
    """A span: 12.3ms, 0.25s, 1m05s, 2h03m, 1d04h.  Calls take microseconds, mail may wait for days."""
    if seconds < 0:
        return "-" + lasted(-seconds)
    if seconds < 0.1:
        return f"{seconds * 1000:.3g}ms"
    if seconds < 59.95:
        return f"{seconds:.3g}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest:02}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours < 24 else f"{hours // 24}d{hours % 24:02}h"


def shown(time: float | None, clock: Clock, zone: ZoneInfo, *, fine: bool) -> str:
    """An instant as the clock of the way gives it; "" where it has none.  ``fine``: with milliseconds."""
    if time is None or clock == "none":
        return ""
    if clock == "span":
        return f"{time:.3f} s" if fine else f"{time:.0f} s"
    at = datetime.fromtimestamp(time % DAY_S if clock == "day" else time, UTC)
    local = at if clock == "day" else at.astimezone(zone)
    return f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}" if fine else f"{local:%H:%M:%S}"


def day(time: float | None, clock: Clock, zone: ZoneInfo) -> str:
    """The day of an instant; "" where the clock tells none."""
    if time is None or clock != "epoch":
        return ""
    return f"{datetime.fromtimestamp(time, UTC).astimezone(zone):%Y-%m-%d %z}"


def is_fine(times: list[float]) -> bool:
    """Whether any stamp is finer than a second."""
    return any(time != int(time) for time in times)
