"""qmail's deliveries under way, hour by hour, and how often all places were taken."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.section import Label, Number, Section, hour


def _kind(kind: str, title: str) -> tuple[Number, ...]:
    tally = "concurrency"
    return (
        Number(f"{kind}_full", f"{title} full", tally, only=pl.col(f"{kind}_full")),
        Number(f"{kind}_max", "most", tally, f"{kind}_max", how="max"),
        Number(f"{kind}_limit", "limit", tally, f"{kind}_limit", how="max"),
    )


SECTION: Final = Section(
    "concurrency",
    "qmail concurrency",
    "qmail-send's status lines by hour, how many of them show all places taken, the most deliveries at once "
    "and the limit.  Between two deliveries a place is free for a moment, so half of the lines is as full as "
    "can be.",
    (Label("hour", "Hour", hour, "hour"),),
    (Number("lines", "Lines", "concurrency"), *_kind("local", "Local"), *_kind("remote", "Remote")),
    ordered=True,
    limited=False,
)
