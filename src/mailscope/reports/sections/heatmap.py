"""When in the week mail comes: hour by weekday."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.section import Label, Number, Section, hour_of_day, weekday

SECTION: Final = Section(
    "heatmap",
    "Hour and weekday",
    "Messages received from outside, and refusals, by hour of the day and weekday (1: Monday), all weeks "
    "together.",
    (Label("weekday", "Weekday", weekday, "weekday"), Label("hour", "Hour", hour_of_day, "clock")),
    (
        Number("received", "Received", "received"),
        Number("rejected", "Rejected", "verdicts_by_time", only=pl.col("event") == "rejected"),
    ),
    ordered=True,
    limited=False,
    history=True,
    kind="heatmap",
)
