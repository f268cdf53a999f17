"""How numbers are written: counts with ``k`` and ``m`` where they are large, times, percentages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

_KIB: Final = 1 << 10
_MIB: Final = 1 << 20


def count(value: float, width: int = 6) -> str:
    """A whole number, what is behind the point cut off, and its unit (a blank for none)."""
    unit = " "
    if value > 512 * _MIB:
        value, unit = value / _MIB, "m"
    elif value > 512 * _KIB:
        value, unit = value / _KIB, "k"
    return f"{int(value):{width}d}{unit}"


def counts(values: pl.Expr) -> pl.Expr:
    """``count`` of a column of whole numbers."""
    many, most = values > 512 * _KIB, values > 512 * _MIB
    value = pl.when(most).then(values // _MIB).when(many).then(values // _KIB).otherwise(values)
    unit = pl.when(most).then(pl.lit("m")).when(many).then(pl.lit("k")).otherwise(pl.lit(" "))
    return pl.concat_str(value.cast(pl.String).str.pad_start(6), unit)


def delay(seconds: float) -> str:
    """A time with one digit behind the point, in seconds, minutes or hours."""
    unit = "s"
    if seconds > 3600:
        seconds, unit = seconds / 3600, "h"
    elif seconds > 60:
        seconds, unit = seconds / 60, "m"
    return f"{seconds:5.1f} {unit}"


def clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    hours = int(seconds / 3600)
    seconds -= hours * 3600
    minutes = int(seconds / 60)
    return f"{hours:2d}:{minutes:02d}:{int(seconds - minutes * 60):02d}"


def mean(total: int, number: int) -> int:
    """A mean, rounded to the nearest whole."""
    return int(total / number + 0.5) if number > 0 else 0


def percent(part: int, parts: Sequence[int]) -> int:
    """What per cent a part is of all parts together, cut off."""
    return int(part / sum(parts) * 100) if sum(parts) else 0
