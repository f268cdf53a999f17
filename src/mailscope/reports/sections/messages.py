"""How messages came into the queue and how they left it."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.section import Label, Number, Section

ENDS: Final = (
    "removed", "deleted", "discarded", "expired", "open", "refused", "incomplete", "requeued",
)  # fmt: skip

SECTION: Final = Section(
    "messages_by_origin",
    "Messages by origin and end",
    "What took messages in (internal: notifications and forwarded mail, which are made here; none: before "
    "the log begins), and how they left.",
    (
        Label("origin", "Taken in by", unit="word", words=("internal",)),
        Label(
            "end",
            "End",
            lambda zone: pl.when("expired").then(pl.lit("expired")).otherwise("went"),
            unit="word",
            words=ENDS,
        ),
    ),
    (
        Number("messages", "Messages", "messages"),
        Number("bytes", "Bytes", "messages", "bytes", unit="bytes"),
    ),
    limited=False,
)
