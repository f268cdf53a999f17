"""Spans of time as MTAs write them, in seconds.

12   0.4               a number of seconds
00:01:02   1+02:03:04  Sendmail: days, hours, minutes, seconds (pintvl in convtime.c)
1m2s   1d2h3m4.005s    Exim (string_timesince, readconf_printtime) and OpenSMTPD (duration_to_text)
"""

from __future__ import annotations

import re
from typing import Final

import polars as pl

CLOCK: Final = r"^(?:([0-9]+)\+)?([0-9]+):([0-9]+):([0-9]+)$"
UNITS: Final = r"^(?:([0-9]+)w)?(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+(?:\.[0-9]+)?)s?)?$"
OF_CLOCK: Final = (86_400, 3_600, 60, 1)
OF_UNITS: Final = (604_800, 86_400, 3_600, 60, 1)
_FORMS: Final = ((re.compile(CLOCK), OF_CLOCK), (re.compile(UNITS), OF_UNITS))


def seconds_of(text: str) -> float:
    """The seconds of one text; ValueError where it is no span of time."""
    for regex, worth in _FORMS:
        found = regex.match(text)
        if found:
            return sum(float(n) * each for n, each in zip(found.groups(), worth, strict=True) if n)
    raise ValueError(f"not a span of time: {text}")


def seconds(text: pl.Expr) -> pl.Expr:
    """The same for a column; null where a text is no span of time."""
    told = [
        sum(
            (
                text.str.extract(form, at).cast(pl.Float64, strict=False).fill_null(0) * each
                for at, each in enumerate(worth, 1)
            ),
            pl.lit(0.0),
        )
        for form, worth in ((CLOCK, OF_CLOCK), (UNITS, OF_UNITS))
    ]
    return (
        pl.when(text.str.contains(CLOCK))
        .then(told[0])
        .when(text.str.contains(UNITS))
        .then(told[1])
        .name.keep()
    )
