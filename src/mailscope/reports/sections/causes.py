"""Why deliveries did not succeed, in the words of one list of causes for all servers."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.causes import of_attempts, of_verdicts
from mailscope.reports.section import Label, Number, Section

STATUS: Final = pl.col("status")
NUMBERS: Final = (
    Number("attempts", "Attempts", "reasons"),
    Number("deferred", "Deferred", "reasons", only=STATUS == "deferred"),
    Number("bounced", "Bounced", "reasons", only=STATUS.is_in(["bounced", "expired"])),
)
CAUSE: Final = Label("cause", "Cause", of_attempts("cause"), "cause")

BY_CAUSE: Final = Section(
    "causes",
    "Causes of deferrals and bounces",
    "Why attempts did not deliver: one cause for all the words that servers have for it, and the blocklist "
    "where one is named.  `mailscope explain CAUSE` says what it means and what to do.",
    (CAUSE, Label("blocklist", "Blocklist", of_attempts("blocklist"))),
    NUMBERS,
)
BY_DOMAIN: Final = Section(
    "causes_by_domain",
    "Causes by recipient domain",
    "Why attempts did not deliver, for each domain of recipients.",
    (Label("domain", "Domain", lambda zone: pl.col("recipient_domain")), CAUSE),
    NUMBERS,
)
OF_REJECTS: Final = Section(
    "reject_causes",
    "Causes of rejects",
    "Why clients, messages and recipients were refused, and the blocklist where one decided.",
    (
        Label("cause", "Cause", of_verdicts("cause"), "cause"),
        Label("blocklist", "Blocklist", of_verdicts("blocklist")),
    ),
    (Number("rejects", "Rejects", "verdicts", only=pl.col("event") == "rejected"),),
)
