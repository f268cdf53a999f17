"""Syslog severities as other schemas number them.

Sources: RFC 5424 section 6.2.1; OpenTelemetry's logs data model, appendix B (SeverityNumber).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.intake.priority import FACILITIES, SEVERITIES

SYSLOG: Final = {name: number for number, name in enumerate(SEVERITIES)}
FACILITY: Final = {name: number for number, name in enumerate(FACILITIES)}
OTEL: Final = {
    "debug": 5,
    "info": 9,
    "notice": 10,
    "warning": 13,
    "err": 17,
    "crit": 18,
    "alert": 19,
    "emerg": 21,
}
# A GELF message without a level is an alert, so a line without a priority gets the one that syslog gives to
# lines of its kind: Postfix logs warnings with LOG_WARNING, errors with LOG_ERR, panics with LOG_CRIT, the
# rest with LOG_INFO.
OF_EVENT: Final = {"warned": "warning", "failed": "err", "panicked": "crit", "debugged": "debug"}


def numbers(column: str, table: dict[str, int]) -> pl.Expr:
    """The numbers of a column of names; null for null."""
    return pl.col(column).replace_strict(table, default=None, return_dtype=pl.Int64)
