"""What failed."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.section import Label, Number, Section

SECTION: Final = Section(
    "errors",
    "Errors",
    "Programs that failed (error, fatal) or met an internal inconsistency (panic).",
    (Label("program", "Program"), Label("error", "Error", lambda zone: pl.col("shape"))),
    (Number("times", "Times", "problems", only=pl.col("event") != "warned"),),
    problem=True,
)
