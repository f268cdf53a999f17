"""What rules did short of refusing."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.section import Label, Number, Section
from mailscope.tallies.tables import VERDICTS

WORDS: Final = tuple(verdict for verdict in VERDICTS if verdict != "rejected")

SECTION: Final = Section(
    "verdicts",
    "Other verdicts",
    "Messages that a rule held, discarded, redirected, filtered or changed, or only warned of.",
    (
        Label("verdict", "Verdict", lambda zone: pl.col("event"), "word", WORDS),
        Label("action", "Action"),
        Label("stage", "Stage"),
        Label("reason", "Reason", lambda zone: pl.col("shape")),
    ),
    (Number("verdicts", "Times", "verdicts", only=pl.col("event") != "rejected"),),
)
