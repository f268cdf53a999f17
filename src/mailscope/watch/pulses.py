"""Sums by key in short spans of the log's time, each judged once, when it is over.

For what may rise and fall again while lines come, such as a share: judged at every batch it would depend on
how the log is cut.  What only rises is quicker found with a ``Window``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from mailscope.vocabulary.columns import own
from mailscope.watch.window import LAST, SINCE, TIME

# Lines may come so late; later ones count in the next pulse.
GRACE: Final = timedelta(seconds=15)
# Rows that are kept; beyond them the smallest are let go.
MOST_ROWS: Final = 100_000
MOST_NEW: Final = 64
PULSE: Final = "_pulse"


@dataclass
class Pulses:
    """Sums of the ``values`` by ``keys``, over ``length_s`` seconds that end with a pulse of ``pulse_s``."""

    keys: tuple[str, ...]
    values: tuple[str, ...]
    length_s: int = 3_600
    pulse_s: int = 300
    _kept: pl.DataFrame | None = None
    _new: list[pl.DataFrame] = field(default_factory=list)
    _judged: datetime | None = None

    def add(self, rows: pl.DataFrame) -> None:
        """Count rows (``time``, the keys, the values)."""
        if not len(rows):
            return
        pulse = pl.col("time").dt.truncate(f"{self.pulse_s}s")
        if self._judged is not None:
            pulse = pl.max_horizontal(pulse, pl.lit(self._judged, TIME))
        span = (pl.col("time").min().alias(SINCE), pl.col("time").max().alias(LAST))
        by = [*self.keys, pulse.alias(PULSE)]
        counted = rows.group_by(by).agg(*(pl.col(name).sum().cast(pl.Float64) for name in self.values), *span)
        self._new.append(own(counted.select(self._columns)))
        if len(self._new) > MOST_NEW:
            self._fold()

    def ended(self, now: datetime) -> pl.DataFrame:
        """The pulses that ended since the last call, in order: by key the sums over the length, those of
        the pulse alone (``NAME_own``), ``_since`` (the first row in the length), ``_last`` (the last one) and
        ``_pulse``, its end.

        A key has a row for each pulse that rows came to.
        """
        edge = floor(now - GRACE, self.pulse_s)
        if self._judged is not None and edge <= self._judged:
            return pl.DataFrame()
        self._fold()
        before, self._judged = self._judged, edge
        kept = self._kept
        if kept is None or not len(kept):
            return pl.DataFrame()
        done = kept.filter(pl.col(PULSE) < edge)
        found = self._rolled(done, before)
        self._kept = kept.filter(pl.col(PULSE) >= edge - timedelta(seconds=self.length_s))
        return found.with_columns(pl.col(PULSE) + timedelta(seconds=self.pulse_s))

    def _rolled(self, done: pl.DataFrame, before: datetime | None) -> pl.DataFrame:
        done = done.sort(PULSE)
        sums = (
            done.rolling(PULSE, period=f"{self.length_s}s", closed="right", group_by=self.keys)
            .agg(*(pl.col(name).sum() for name in self.values), pl.col(SINCE).min(), pl.col(LAST).max())
            .join(
                done.select(*self.keys, PULSE, pl.col(self.values).name.suffix("_own")),
                on=[*self.keys, PULSE],
                nulls_equal=True,
            )
        )
        if before is not None:
            sums = sums.filter(pl.col(PULSE) >= before)
        return sums.sort(PULSE, *self.keys)

    @property
    def _columns(self) -> tuple[str, ...]:
        return (*self.keys, PULSE, *self.values, SINCE, LAST)

    def _fold(self) -> None:
        if not self._new:
            return
        together = pl.concat([*([] if self._kept is None else [self._kept]), *self._new])
        self._new = []
        kept = together.group_by(*self.keys, PULSE).agg(
            *(pl.col(name).sum() for name in self.values), pl.col(SINCE).min(), pl.col(LAST).max()
        )
        if len(kept) > MOST_ROWS:
            kept = kept.sort(self.values[0], *self.keys, PULSE, descending=True).head(MOST_ROWS)
        self._kept = kept.select(self._columns)

    def state(self, prefix: str = "pulses") -> dict[str, pl.DataFrame]:
        """What is kept, by name."""
        self._fold()
        judged = pl.DataFrame({"time": [self._judged]}, schema={"time": TIME})
        return {f"{prefix}.judged": judged} | ({} if self._kept is None else {f"{prefix}.kept": self._kept})

    def resume(self, state: Mapping[str, pl.DataFrame], prefix: str = "pulses") -> None:
        """Go on with what was kept; what another version kept otherwise is left out."""
        judged, kept = state.get(f"{prefix}.judged"), state.get(f"{prefix}.kept")
        if judged is not None and len(judged):
            self._judged = judged["time"][0]
        if kept is not None and tuple(kept.columns) == self._columns:
            self._kept = kept


def floor(instant: datetime, seconds: int) -> datetime:
    """The begin of the span that an instant is in."""
    since = (instant - datetime(1970, 1, 1)) // timedelta(seconds=seconds)
    return datetime(1970, 1, 1) + since * timedelta(seconds=seconds)
