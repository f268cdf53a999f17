"""Logins: who submitted mail, and how logins ended by service."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.section import Label, Number, Section

BY_USER: Final = Section(
    "users",
    "Submissions by user",
    "Messages taken in from clients that had logged in, by login name.",
    (Label("user", "User", lambda zone: pl.col("sasl_user")),),
    (Number("messages", "Messages", "users"),),
    pages=("mail", "logins"),
)
BY_SERVICE: Final = Section(
    "logins",
    "Logins by service",
    "Logins that the log tells of, by service and outcome.",
    (Label("service", "Service"),),
    (
        Number("succeeded", "Succeeded", "logins", only=pl.col("event") == "login_succeeded"),
        Number("failed", "Failed", "logins", only=pl.col("event") == "login_failed"),
    ),
    pages=("mail", "logins"),
)
