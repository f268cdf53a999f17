"""What was refused, why, and to whom."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.section import Label, Number, Section

REJECTED: Final = pl.col("event") == "rejected"

BY_REASON: Final = Section(
    "rejects",
    "Rejects by reason",
    "Clients, messages and recipients that were refused, by stage of the dialogue, reply and reason.",
    (
        Label("stage", "Stage"),
        Label("reply_code", "Code"),
        Label(
            "reason", "Reason", lambda zone: pl.coalesce("shape", pl.col("action").str.replace_all("_", " "))
        ),
    ),
    (Number("rejects", "Rejects", "verdicts", only=REJECTED),),
)
BY_CLIENT: Final = Section(
    "reject_clients",
    "Rejects by client",
    "Clients that were refused, or whose messages or recipients were.",
    (Label("client_host", "Client"), Label("client_ip", "Address")),
    (Number("rejects", "Rejects", "verdict_clients", only=REJECTED & pl.col("client_ip").is_not_null()),),
)
