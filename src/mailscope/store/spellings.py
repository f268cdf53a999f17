"""Addresses and names that are not logged in lower case, so that they are found in any case."""

from __future__ import annotations

import polars as pl

from mailscope.store.names import ADDRESSES


def spellings(events: pl.DataFrame) -> pl.DataFrame:
    """Those in some rows of ``events``: ``lower`` and ``spelling``, each once."""
    found = [events[name] for name in ADDRESSES if name in events.columns]
    if not found:
        return pl.DataFrame(schema={"lower": pl.String, "spelling": pl.String})
    spelled = pl.concat([column.drop_nulls().unique().alias("spelling") for column in found]).unique()
    lower = spelled.str.to_lowercase().alias("lower")
    return pl.DataFrame([lower, spelled]).filter(pl.col("lower") != pl.col("spelling"))
