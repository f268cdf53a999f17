"""How long connections lasted: each end is paired with the beginning before it."""

from __future__ import annotations

from typing import Any, NamedTuple

import polars as pl


class Times(NamedTuple):
    """Number, whole and longest time (seconds) of connections."""

    number: int
    total: int
    longest: int


class Connections(NamedTuple):
    """Connections of one kind, by hour, by run of days and by host."""

    all: Times
    hours: dict[int, Times]
    runs: dict[int, Times]
    hosts: dict[str, Times]
    ended: pl.DataFrame  # the last line of each: row, host, ...


def paired(lines: pl.DataFrame) -> Connections:
    """Pair beginnings and ends of the same process or client.

    In: columns as ``picked.CONNECTIONS``; ``second`` counts from any fixed day.
    """
    ordered = lines.sort("key", "row")
    same = ordered["key"] == ordered["key"].shift(1)
    # An end takes the beginning before it away, so it counts only directly behind one.
    ends = same & ordered["begins"].shift(1) & ~ordered["begins"]
    lasted = ordered["second"] - ordered["second"].shift(1)
    ended = ordered.with_columns(lasted.alias("lasted")).filter(ends.fill_null(False)).sort("row")
    return Connections(
        Times(len(ended), int(ended["lasted"].sum()), 0),
        _times(ended, "hour"),
        _times(ended, "run"),
        _times(ended.with_columns(pl.col("host").fill_null("")), "host"),
        ended,
    )


def _times(ended: pl.DataFrame, key: str) -> dict[Any, Times]:
    groups = ended.group_by(key).agg(
        pl.len(), pl.col("lasted").sum().alias("total"), pl.col("lasted").max().clip(0).alias("longest")
    )
    return {key: Times(count, total, longest) for key, count, total, longest in groups.iter_rows()}
