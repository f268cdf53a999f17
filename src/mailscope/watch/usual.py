"""How much comes at such an hour at least: counts by key, for what should come and does not.

For each key the last hours are kept by kind of day (working day or week-end) and hour of the day; what came
in the lower fifth of them comes on a quiet day, so that one holiday does not become the norm.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import polars as pl

HOUR: Final = timedelta(hours=1)
# Hours of one kind that are kept of a key, and that a norm rests on at least.
KEPT, FEWEST = 10, 3
MOST_KEYS: Final = 2_000
SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "key": pl.String, "weekend": pl.Boolean, "hour": pl.Int64, "counts": pl.List(pl.Int64)
}  # fmt: skip


@dataclass
class Usual:
    """Counts of whole hours (naive UTC) by key."""

    counts: dict[tuple[str, bool, int], deque[int]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)

    def add(self, hour: datetime, counts: Mapping[str, int]) -> None:
        """Enter an hour that is over; keys without a count had none."""
        for key in counts:
            if len(self.keys) < MOST_KEYS:
                self.keys.add(key)
        for key in self.keys:
            held = self.counts.setdefault((key, *_kind(hour)), deque(maxlen=KEPT))
            held.append(counts.get(key, 0))

    def least(self, key: str, instant: datetime) -> float | None:
        """What comes of a key in such an hour on a quiet day; None where too little is known."""
        held = self.counts.get((key, *_kind(instant)))
        if held is None or len(held) < FEWEST:
            return None
        return float(sorted(held)[(len(held) - 1) // 5])

    def most(self, key: str, instant: datetime) -> float:
        """The largest that was counted of a key in such hours; 0 where nothing is known."""
        return float(max(self.counts.get((key, *_kind(instant)), (0,))))

    def missed(self, key: str, since: datetime, until: datetime) -> float | None:
        """What would have come of a key in a span on quiet days; None where too little is known."""
        total, at = 0.0, since
        while at < until:
            end = min(at.replace(minute=0, second=0, microsecond=0) + HOUR, until)
            rate = self.least(key, at)
            if rate is None:
                return None
            total += rate * (end - at) / HOUR
            at = end
        return total

    def state(self) -> dict[str, pl.DataFrame]:
        """What is kept."""
        rows = [(*key, list(held)) for key, held in self.counts.items()]
        return {"usual": pl.DataFrame(rows, schema=SCHEMA, orient="row")}

    def resume(self, state: Mapping[str, pl.DataFrame]) -> None:
        """Go on with what was kept."""
        frame = state.get("usual")
        if frame is not None and frame.schema == SCHEMA:
            self.counts = {
                (key, weekend, hour): deque(counts, maxlen=KEPT)
                for key, weekend, hour, counts in frame.iter_rows()
            }
            self.keys = {key for key, _, _ in self.counts}


def _kind(instant: datetime) -> tuple[bool, int]:
    return instant.weekday() >= 5, instant.hour
