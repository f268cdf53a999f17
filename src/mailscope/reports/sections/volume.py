"""How much mail passed, by day, by hour, and by hour of the day."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.section import Label, Number, Section, day, hour, hour_of_day

OUTCOME: Final = pl.col("outcome")
NUMBERS: Final = (
    Number("received", "Received", "received"),
    Number("delivered", "Delivered", "attempts", only=OUTCOME == "sent"),
    Number("deferred", "Deferred", "attempts", only=OUTCOME == "deferred"),
    Number("bounced", "Bounced", "attempts", only=OUTCOME == "bounced"),
    Number("rejected", "Rejected", "verdicts_by_time", only=pl.col("event") == "rejected"),
    Number("bytes", "Bytes", "received", "bytes", unit="bytes"),
)
MEANING: Final = "Messages received from outside and their bytes, delivery attempts by outcome, and refusals."

BY_DAY: Final = Section(
    "by_day", "By day", MEANING, (Label("day", "Day", day, "day"),), NUMBERS, ordered=True, limited=False
)
BY_HOUR: Final = Section(
    "by_hour",
    "By hour",
    MEANING,
    (Label("hour", "Hour", hour, "hour"),),
    NUMBERS,
    ordered=True,
    limited=False,
)
BY_HOUR_OF_DAY: Final = Section(
    "by_hour_of_day",
    "By hour of the day",
    f"{MEANING}  All days together.",
    (Label("hour", "Hour", hour_of_day, "clock"),),
    NUMBERS,
    ordered=True,
    limited=False,
)
