"""The numbers that all tables of delivery attempts show."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.section import Number

OUTCOME: Final = pl.col("outcome")
# Forwarding to another address counts as done: the recipient's mail went where it should.
SENT: Final = OUTCOME.is_in(["sent", "forwarded"])


def numbers(tally: str) -> tuple[Number, ...]:
    """Attempts by outcome, bytes delivered and the slowest delivery, from a tally by outcome."""
    return (
        Number("sent", "Sent", tally, only=SENT),
        Number("deferred", "Deferred", tally, only=OUTCOME == "deferred"),
        Number("bounced", "Bounced", tally, only=OUTCOME.is_in(["bounced", "expired"])),
        Number("bytes", "Bytes", tally, "bytes", SENT, "bytes"),
        Number("delay_max_s", "Slowest", tally, "delay_max_s", SENT, "seconds", "max"),
        Number(
            "failed", "Failed", tally, only=OUTCOME.is_in(["deferred", "bounced", "expired"]), hidden=True
        ),
    )
