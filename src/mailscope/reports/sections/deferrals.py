"""Why attempts were put off, to be tried again."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.section import Label, Number, Section

SECTION: Final = Section(
    "deferrals",
    "Deferrals by reason",
    "Why attempts were put off, to be tried again.  Reasons that differ only in addresses, hosts and "
    "numbers are one row.",
    (Label("dsn_status", "Code"), Label("reason", "Reason", lambda zone: pl.col("shape"))),
    (Number("attempts", "Attempts", "reasons", only=pl.col("status") == "deferred"),),
)
