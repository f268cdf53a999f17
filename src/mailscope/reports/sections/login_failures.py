"""Logins that were refused."""

from __future__ import annotations

from typing import Final

from mailscope.reports.section import Label, Number, Section

NUMBERS: Final = (Number("failures", "Failures", "login_failures"),)

BY_CLIENT: Final = Section(
    "login_failures_by_client",
    "Failed logins by client",
    "Logins that were refused, by the client's address.",
    (Label("client_ip", "Client"), Label("service", "Service")),
    NUMBERS,
    problem=True,
    pages=("mail", "logins"),
)
BY_USER: Final = Section(
    "login_failures_by_user",
    "Failed logins by user",
    "Logins that were refused, by the name that was tried, where the line tells it.",
    (Label("user", "User"), Label("service", "Service")),
    NUMBERS,
    problem=True,
    pages=("mail", "logins"),
)
