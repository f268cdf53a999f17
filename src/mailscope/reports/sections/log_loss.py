"""Lines that the log itself says are missing."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.section import Label, Number, Section

SECTION: Final = Section(
    "log_loss",
    "Lost log lines",
    "Notes that log lines were suppressed by a rate limit, repeated or lost: all other numbers are too "
    "small then.",
    (Label("program", "Program"), Label("note", "Note", lambda zone: pl.col("shape"))),
    (Number("notes", "Notes", "losses"),),
    problem=True,
)
