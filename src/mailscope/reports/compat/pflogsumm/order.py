"""The order of names, for whole columns of them: see ``hosts.sort_key``."""

from __future__ import annotations

from typing import Final

import polars as pl

from mailscope.reports.compat.pflogsumm.columns import mapped
from mailscope.reports.compat.pflogsumm.hosts import older_sort_key, sort_key

# An address, or a name that no rule for IP addresses fits: its key is its parts from the last to the first.
_USUAL: Final = "^(?:[0-9A-Za-z._=+-]+@[0-9A-Za-z.-]+|[A-Za-z_=-][0-9A-Za-z._=+-]*)$"


def keys(names: pl.Series, *, current: bool) -> pl.Series:
    """The key that each name is sorted by."""
    usual = names.str.contains(_USUAL)
    name = pl.col("name")
    parts = (
        name.str.to_lowercase()
        .str.replace("@", ".", literal=True)
        .str.split(".")
        .list.reverse()
        .list.join("")
    )
    made = names.to_frame("name").select(
        pl.when(usual).then(pl.concat_str(pl.lit("0_" if current else ""), parts)).alias("key")
    )["key"]
    if usual.all():
        return made
    odd = names.filter(~usual)
    return made.scatter((~usual).arg_true(), mapped(odd, sort_key if current else older_sort_key))
