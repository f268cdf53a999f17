"""Syslog priorities that stand in front of a line: ``<22>``, ``<mail.info>``, ``<22> mail.info ``.

Numbers are facility * 8 + severity (RFC 5424 section 6.2.1); names are those of syslog.conf(5).
"""

from __future__ import annotations

from typing import Final

import polars as pl

SEVERITIES: Final = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
FACILITIES: Final = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"),
    *("ntp", "security", "console", "solaris-cron"),
    *(f"local{number}" for number in range(8)),
)
ALIASES: Final = {"panic": "emerg", "error": "err", "warn": "warning"}
MOST: Final = len(FACILITIES) * len(SEVERITIES)
NAME: Final = rf"(?:{'|'.join(FACILITIES)})\.(?:{'|'.join((*SEVERITIES, *ALIASES))})"
SNIFF: Final = rf"^<(?:[0-9]{{1,3}}|{NAME})> ?(?:{NAME} )?"
FORM: Final = r"^<(?:([0-9]{1,3})|([a-z0-9]+)\.([a-z]+))>"


def strip(lines: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Priority (Int64, null for none or an impossible one) and the line without it."""
    found = lines.str.extract_groups(FORM).struct.unnest()
    pri = found.select(pl.coalesce(pl.col("1").cast(pl.Int64), number(pl.col("2"), pl.col("3")))).to_series()
    pri = pl.select(pl.when(pri < MOST).then(pri)).to_series()
    return pri, lines.str.replace(SNIFF, "")


def number(facility: pl.Expr, severity: pl.Expr) -> pl.Expr:
    """Priority (Int64) of a facility's and a severity's name; null where one is unknown."""
    severities = {name: place for place, name in enumerate(SEVERITIES)}
    severities |= {alias: severities[name] for alias, name in ALIASES.items()}
    facilities = {name: place * 8 for place, name in enumerate(FACILITIES)}
    return facility.replace_strict(facilities, default=None, return_dtype=pl.Int64) + severity.replace_strict(
        severities, default=None, return_dtype=pl.Int64
    )


def names(pri: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Facility and severity names of priorities."""
    facilities = dict(enumerate(FACILITIES))
    severities = dict(enumerate(SEVERITIES))
    return (
        (pri // 8).replace_strict(facilities, default=None, return_dtype=pl.String),
        (pri % 8).replace_strict(severities, default=None, return_dtype=pl.String),
    )
