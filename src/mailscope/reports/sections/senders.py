"""Who sent: envelope senders, and their domains."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.section import Label, Number, Section, domain

# Forwarded copies and notifications are made here; a null means that the log begins after the arrival.
FROM_OUTSIDE: Final = ~pl.col("internal").fill_null(False)
NUMBERS: Final = (
    Number("messages", "Messages", "senders", only=FROM_OUTSIDE),
    Number("bytes", "Bytes", "senders", "bytes", FROM_OUTSIDE, "bytes"),
)
MEANING: Final = "Messages that came into the queue from outside, by {}."

BY_ADDRESS: Final = Section(
    "top_senders", "Senders", MEANING.format("envelope sender"), (Label("sender", "Sender"),), NUMBERS
)
BY_DOMAIN: Final = Section(
    "sender_domains",
    "Sender domains",
    MEANING.format("the domain of the envelope sender"),
    (Label("domain", "Domain", domain("sender")),),
    NUMBERS,
)
