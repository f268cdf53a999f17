"""Notifications that this host made: mail returned, and what was returned of that."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.section import Label, Number, Section
from mailscope.tallies.keys import DOUBLE_BOUNCE

KIND: Final = (
    pl.when(DOUBLE_BOUNCE)
    .then(pl.lit("double bounces"))
    .when(pl.col("sender") == "")
    .then(pl.lit("bounces and notices"))
)
WORDS: Final = ("double bounces", "bounces and notices")

SECTION: Final = Section(
    "notifications",
    "Notifications",
    "Notifications that were made here: mail returned and delays told (empty sender), and notifications "
    "of notifications that could not be delivered (double bounces).",
    (Label("notification", "Notification", lambda zone: KIND, "word", WORDS),),
    (
        Number(
            "messages", "Messages", "senders",
            only=(pl.col("internal").fill_null(False) | DOUBLE_BOUNCE) & KIND.is_not_null(),
        ),
    ),
    limited=False,
)  # fmt: skip
