"""Programs with lines that no pattern knows."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.section import Label, Number, Section

SECTION: Final = Section(
    "unrecognised",
    "Unrecognised lines",
    "Lines that no pattern knows, by program; `mailscope coverage` shows what they look like.",
    (Label("program", "Program"),),
    (Number("lines", "Lines", "lines", only=~pl.col("known")),),
    problem=True,
)
