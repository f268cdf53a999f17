"""Which keys of a window may have reached its limits, without counting what waits to be counted.

Of each key it is noted what the measures come to at most: what they came to when it was last looked at, and
all that came since.  A key that has reached its limits is looked at again in the next bucket, or when
there is much more of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import polars as pl

from mailscope.watch.buckets import Limits, Measure, Part

# Keys of which it is noted what they come to.
MOST_KEYS: Final = 20_000
# So much more of a key that was told of is worth another look in the same bucket.
MUCH_MORE: Final = 1.1

Key = tuple[Any, ...]
Placed = Sequence[Sequence[tuple[int, float]]]


@dataclass
class Nearness:
    """What is noted of the keys of a window."""

    keys: tuple[str, ...]
    measures: tuple[Measure, ...]
    # None: there are too many keys to note it.
    _most: dict[Key, list[float]] | None = field(default_factory=dict)
    # Of keys that reached their limits: in which bucket they were looked at, and what there was of them.
    _over: dict[Key, tuple[datetime, list[float]]] = field(default_factory=dict)
    # Rows that came since all of it was noted.
    _added: int = 0

    @property
    def crowded(self) -> bool:
        """Whether all of it should be noted anew from what is kept: most keys are of the past."""
        return self._most is not None and len(self._most) > MOST_KEYS

    def vague(self, kept: int) -> bool:
        """Whether what is noted may be far more than there is: more rows came than are ``kept``."""
        return self._added > kept

    def near(self, rows: pl.DataFrame, newest: datetime, least: Limits) -> pl.DataFrame:
        """The keys of some rows that may have reached the limits with them; ``newest``: their last bucket."""
        self._added += len(rows)
        if self._most is None:
            return rows.select(self.keys).unique() if least else pl.DataFrame()
        limits = self._by_place(least)
        found = []
        adds = (measure.most.alias(f"_{measure.name}") for measure in self.measures)
        came = rows.group_by(self.keys).agg(adds)
        for row in came.iter_rows():
            key, more = row[: len(self.keys)], row[len(self.keys) :]
            most = self._most.get(key)
            if most is None:
                most = self._most[key] = [0.0] * len(more)
            for place, value in enumerate(more):
                most[place] += value
            if _reach(most, limits) and (
                key not in self._over or self._worth(*self._over[key], newest, most)
            ):
                found.append(key)
        return pl.DataFrame(found, schema={key: came.schema[key] for key in self.keys}, orient="row")

    def may(self, totals: Mapping[Key, Sequence[float]], least: Limits) -> list[Key]:
        """Of keys those whose rows, whatever their bucket, reach the limits together."""
        limits = self._by_place(least)
        return [key for key, mine in totals.items() if _reach(mine, limits)]

    def _by_place(self, least: Limits) -> Placed:
        places = {measure.name: place for place, measure in enumerate(self.measures)}
        return [[(places[name], value) for name, value in each.items()] for each in least]

    def _worth(self, at: datetime, totals: list[float], newest: datetime, most: list[float]) -> bool:
        """Whether a key that was told of is worth another look.

        What is noted of distinct values is far too much where the same come again: only their first counts.
        """
        return newest != at or any(
            now > 0 if not then else now >= then * MUCH_MORE and measure.kind != "distinct"
            for measure, then, now in zip(self.measures, totals, most, strict=True)
        )

    def told(self, near: pl.DataFrame, found: pl.DataFrame, newest: datetime) -> None:
        """Of keys that were looked at, note those that reached their limits."""
        reached = set(found.select(self.keys).iter_rows()) if len(found) else set()
        if len(self._over) > MOST_KEYS:
            self._over.clear()
        for key in near.iter_rows():
            self._over.pop(key, None)
            if key in reached and self._most is not None and key in self._most:
                self._over[key] = newest, list(self._most[key])

    def note(
        self, frames: Iterable[tuple[Part, pl.DataFrame]], near: pl.DataFrame | None = None
    ) -> dict[Key, list[float]]:
        """Note what some keys come to in the frames of the parts; None: all keys, unless they are too many.
        Out: that.
        """
        nothing = [0.0] * len(self.measures)
        noted = {} if near is None else {key: list(nothing) for key in near.iter_rows()}
        places = {measure.name: place for place, measure in enumerate(self.measures)}
        for part, kept in frames:
            for row in kept.group_by(self.keys).agg(part.totals).iter_rows():
                totals = noted.setdefault(row[: len(self.keys)], list(nothing))
                for measure, total in zip(part.measures, row[len(self.keys) :], strict=True):
                    totals[places[measure.name]] = total
        if near is None:
            self._added = 0
            self._most = noted if len(noted) <= MOST_KEYS else None
        elif self._most is not None:
            self._most.update(noted)
        return noted


def _reach(totals: Sequence[float], limits: Placed) -> bool:
    return any(all(totals[place] >= value for place, value in each) for each in limits)
