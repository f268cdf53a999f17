"""Where the measures of a window reach limits: by key and bucket."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from mailscope.watch.buckets import BUCKET, LAST, SINCE, SPAN, Limits, Part

Frames = Sequence[tuple[Part, pl.DataFrame]]


def in_few(
    frames: Frames, keys: Sequence[str], length: timedelta, buckets: Sequence[datetime], least: Limits
) -> pl.DataFrame:
    """Of the keys in the frames, those that reach the limits in one of some buckets in which they have rows.

    Out: keys, ``_bucket``, the measures of the window that ends with it, ``_since``, ``_last``; by ``_last``.
    """
    names = [measure.name for part, _ in frames for measure in part.measures]
    found: list[tuple[Any, ...]] = []
    for bucket in buckets:
        told: dict[tuple[Any, ...], dict[str, Any]] = {}
        for part, kept in frames:
            within = kept.filter(pl.col(BUCKET) <= bucket, pl.col(BUCKET) > bucket - length)
            for row in within.group_by(keys).agg(*part.totals, *SPAN).iter_rows():
                *values, since, last = row[len(keys) :]
                mine = told.setdefault(row[: len(keys)], {SINCE: since, LAST: last})
                mine.update(zip((measure.name for measure in part.measures), values, strict=True))
                mine[SINCE], mine[LAST] = min(mine[SINCE], since), max(mine[LAST], last)
        for key, mine in told.items():
            if mine[LAST] >= bucket and any(
                all(mine.get(name, 0.0) >= value for name, value in each.items()) for each in least
            ):
                values = [mine.get(name, 0.0) for name in names]
                found.append((*key, bucket, *values, mine[SINCE], mine[LAST]))
    if not found:
        return pl.DataFrame()
    schema = {name: frames[0][1].schema[name] for name in (*keys, BUCKET, SINCE, LAST)}
    columns = [*keys, BUCKET, *names, SINCE, LAST]
    typed = {name: schema.get(name, pl.Float64()) for name in columns}
    return pl.DataFrame(found, typed, orient="row").sort(LAST, *keys, maintain_order=True)


def in_many(
    frames: Frames, keys: Sequence[str], length: timedelta, earliest: datetime, least: Limits
) -> pl.DataFrame:
    """The same of all buckets from one on."""
    found: pl.DataFrame | None = None
    for part, kept in frames:
        totals = (
            kept.sort(BUCKET)
            .rolling(BUCKET, period=length, closed="right", group_by=keys)
            .agg(*part.totals, *SPAN)
            .unique([*keys, BUCKET], keep="last", maintain_order=True)
        )
        if found is None:
            found = totals
            continue
        found = found.join(totals, on=[*keys, BUCKET], how="full", coalesce=True).with_columns(
            pl.min_horizontal(SINCE, f"{SINCE}_right").alias(SINCE),
            pl.max_horizontal(LAST, f"{LAST}_right").alias(LAST),
        )
        found = found.drop(f"{SINCE}_right", f"{LAST}_right")
    assert found is not None
    # A measure that had no row in a bucket is what it was in the bucket before.
    names = [measure.name for part, _ in frames for measure in part.measures]
    found = found.sort(BUCKET).with_columns(pl.col(names).forward_fill().over(keys).fill_null(0.0))
    reached = pl.any_horizontal(
        pl.all_horizontal(pl.col(name) >= value for name, value in each.items()) for each in least
    )
    found = found.filter(pl.col(BUCKET) >= earliest, reached)
    return found.sort(LAST, *keys, maintain_order=True)
