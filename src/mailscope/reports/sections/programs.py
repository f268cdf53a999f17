"""Which programs wrote the log."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.section import Label, Number, Section

SECTION: Final = Section(
    "programs",
    "Programs",
    "Log lines by program, and how many of them no pattern knows.",
    (Label("program", "Program"),),
    (
        Number("lines", "Lines", "lines"),
        Number("unrecognised", "Unrecognised", "lines", only=~pl.col("known")),
    ),
)
