"""Numbers as people read them: counts with separators, sizes in powers of 1,024, times in a fitting unit."""

from __future__ import annotations

from typing import Any, Final

SIZES: Final = ("", "k", "M", "G", "T", "P")
TIMES: Final = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"))


def count(value: int) -> str:
    """A count: 1,234,567."""
    return f"{value:,}"


def size(value: float) -> str:
    """Bytes in powers of 1,024: 812, 4.1k, 817k, 2.3G."""
    step = 0
    while abs(value) >= 1000 and step < len(SIZES) - 1:
        value /= 1024
        step += 1
    return f"{value:.1f}{SIZES[step]}" if step and abs(value) < 9.95 else f"{value:.0f}{SIZES[step]}"


def seconds(value: float | None) -> str:
    """A time: 0, 0.03 s, 7.2 s, 12 min, 3.4 h; a dash where it is not known."""
    if value is None:
        return "-"
    for length, unit in TIMES:
        if value >= length:
            return f"{value / length:.1f} {unit}" if value / length < 99.5 else f"{value / length:.0f} {unit}"
    if value >= 0.0005:
        return f"{value:.2f} s" if value >= 0.01 else f"{value * 1000:.0f} ms"
    return "0 s"


def share(part: float, whole: float) -> str:
    """A part in per cent: 0.6 %."""
    percent = 100 * part / whole if whole else 0.0
    return f"{percent:.1f} %" if percent < 9.95 else f"{percent:.0f} %"


def shown(value: Any, unit: str) -> str:
    """A figure or label of a unit as text; a dash where there is none."""
    if unit == "seconds":
        return seconds(value)
    if value is None:
        return "-"
    if unit == "bytes":
        return size(value)
    if unit == "count":
        return count(value)
    if unit == "factor":
        return f"{value:.1f}" if value < 9.95 else count(round(value))
    if unit == "percent":
        return f"{value:+.1f} %"
    if unit == "chance":
        return share(value, 1) if value >= 0.0005 else "< 0.1 %"
    if unit == "hour":
        return f"{value[:10]} {value[11:16]}"
    return str(value)
