"""Where to: next hops, and local delivery agents."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.attempts import numbers
from mailscope.reports.section import Label, Section

SECTION: Final = Section(
    "relays",
    "Relays",
    "Delivery attempts and their outcome, by the host that took or refused the mail (none: no host was "
    "reached).",
    (Label("relay", "Relay", lambda zone: pl.col("relay_host")),),
    numbers("relays"),
)
