"""Connections, and how they ended."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.section import Label, Number, Section


def _ended(name: str, title: str, event: str) -> Number:
    return Number(name, title, "connections", only=pl.col("event") == event)


SECTION: Final = Section(
    "connections",
    "Connections",
    "Connections by service.  Lost, timed out and denied ones of smtp are those that we made to others.",
    (Label("service", "Service"),),
    (
        _ended("connected", "Connected", "connected"),
        _ended("lost", "Lost", "connection_lost"),
        _ended("timed_out", "Timed out", "connection_timed_out"),
        _ended("denied", "Denied", "connection_denied"),
    ),
    limited=False,
)
