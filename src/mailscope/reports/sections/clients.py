"""Where from: clients that handed mail in."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.section import Label, Number, Section

SECTION: Final = Section(
    "clients",
    "Clients",
    "Messages taken in over the network, by client.",
    (Label("client_host", "Client"), Label("client_ip", "Address")),
    (Number("messages", "Messages", "clients", only=pl.col("client_ip").is_not_null()),),
)
