"""Classic histograms of the tallies' logarithmic buckets.

Delays are tallied in buckets that are 2 % wide (``tallies/tally.py``).  A bucket belongs to the first bound
that its middle does not exceed, so that a bound is right to 1 %; the sum takes each delay for its bucket's
middle.
Classic buckets and not native ones: these have other bounds than the tallies' buckets, are written in
protobuf only, and Debian's Prometheus takes them only when told so.

Within ``Values`` a histogram stands as additive numbers, so that it is merged as counters are: under its name
and ``#bucket`` what falls into each bucket alone (the last label is the bound), under ``#sum`` the sum.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from math import inf
from typing import Final

from mailscope.tallies.tally import bucket_value
from mailscope.watch.metrics.families import Values

BUCKET, SUM = "#bucket", "#sum"
# From what a person notices to the queue's lifetime.
DELAYS: Final = (
    0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0, 432_000.0, inf
)  # fmt: skip
BATCHES: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, inf)


def bound(value: float) -> str:
    """A bound as its label."""
    return "+Inf" if value == inf else str(value)


def put(values: Values, name: str, labels: tuple[str, ...], bounds: tuple[float, ...], value: float,
        count: int = 1) -> None:  # fmt: skip
    """Add so many observations of a value."""
    place = (*labels, bound(bounds[bisect_left(bounds, value)]))
    buckets, sums = values.setdefault(name + BUCKET, {}), values.setdefault(name + SUM, {})
    buckets[place] = buckets.get(place, 0) + count
    sums[labels] = sums.get(labels, 0) + count * value


def of_tally(values: Values, name: str, labels: tuple[str, ...], rows: Iterable[tuple[int, int]]) -> None:
    """Add the buckets of a tally: their numbers and counts."""
    for number, count in rows:
        put(values, name, labels, DELAYS, bucket_value(number), count)


def cumulated(buckets: dict[str, float], bounds: tuple[float, ...]) -> list[tuple[str, float]]:
    """Buckets as they are written: each with all below it."""
    total, found = 0.0, []
    for each in bounds:
        total += buckets.get(bound(each), 0)
        found.append((bound(each), total))
    return found
