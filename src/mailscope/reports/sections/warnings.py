"""What programs warned of."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.section import Label, Number, Section

SECTION: Final = Section(
    "warnings",
    "Warnings",
    "What programs warned of; failed logins have a section of their own.",
    (Label("program", "Program"), Label("warning", "Warning", lambda zone: pl.col("shape"))),
    (Number("times", "Times", "problems", only=pl.col("event") == "warned"),),
    problem=True,
)
