"""Following the messages and sessions of one place, by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import polars as pl

from mailscope.store import state
from mailscope.store.following import StoreTracker
from mailscope.store.ingest import LATE
from mailscope.trails.hops import CLAIMS, MINE, held, no_claims
from mailscope.trails.links import none

# A delivery that other places' messages are held against: with the name of its own message.
CLAIM: Final = ("trail_id", *(name for name in CLAIMS if name != "trail"), *MINE.values())


@dataclass
class PlaceTracker(StoreTracker):
    """A tracker that leaves deliveries to other hosts to those who know their messages (``relays.py``).

    ``onward``: those of the batch that was fed last, by the number of their own message.
    """

    onward: pl.DataFrame = field(default_factory=no_claims)

    def _hop(self, onward: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
        mine = messages.select("trail", *(pl.col(name).alias(other) for name, other in MINE.items()))
        self.onward = held(no_claims(), onward).join(mine, on="trail", how="left", maintain_order="left")
        return none()

    def claims_told(self) -> pl.DataFrame:
        """The deliveries of the batch to other hosts, with the names of their messages (CLAIM)."""
        return self.named(self.onward).select(CLAIM)


def tracker(kept: bytes | None, first: datetime | None) -> tuple[PlaceTracker, bool]:
    """A tracker as it was kept; and whether it goes on, or the lines are older and followed by themselves."""
    known = None if kept is None else state.from_bytes(kept, PlaceTracker)
    if known is None:
        return PlaceTracker(detail=True), True
    if first is not None and known.now is not None and first < known.now - LATE:
        return PlaceTracker(detail=True), False
    return known, True
