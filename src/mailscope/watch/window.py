"""Counts over a sliding window of the log's time, by some columns.

Rows are counted by bucket (a small part of the window), so that what is kept does not depend on how many
come: an attack of thousands of lines a second costs as much as one of a few.

A batch is a few rows most of the time, and each operation on a frame takes its while however few they are.
So rows wait until a key may have reached its limits (``nearness``), or enough of them wait.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl

from mailscope.vocabulary.columns import own
from mailscope.watch.buckets import (
    BUCKET,
    LAST,
    MOST_DISTINCT,
    MOST_ROWS,
    SINCE,
    VALUE,
    Limits,
    Measure,
    Part,
    parts,
    trimmed,
)
from mailscope.watch.nearness import Nearness
from mailscope.watch.reaching import in_few, in_many

__all__ = ["BUCKET", "LAST", "MOST_DISTINCT", "MOST_ROWS", "SINCE", "Measure", "Window", "told"]

BUCKETS: Final = 20
EPOCH: Final = datetime(1970, 1, 1)
TIME: Final = pl.Datetime("us")
# Rows and batches that wait at most.
MOST_WAITING: Final = 20_000
MOST_BATCHES: Final = 100
# Rows that may be added before those of one key and bucket are made one, and what is too old is let go.
MOST_ADDED: Final = 2_000
# Buckets and keys that are gone through one by one.
FEW_BUCKETS: Final = 3
FEW_KEYS: Final = 2_000


@dataclass
class Window:
    """A window of ``length_s`` seconds over rows with ``time`` (naive UTC, not null) and the ``keys``."""

    keys: tuple[str, ...]
    measures: tuple[Measure, ...]
    length_s: int
    bucket_s: int = 0
    _kept: dict[str, pl.DataFrame] = field(default_factory=dict)
    _newest: datetime | None = None
    # Rows that each frame had when it was last trimmed.
    _trimmed: dict[str, int] = field(default_factory=dict)
    _waiting: list[pl.DataFrame] = field(default_factory=list)
    # What is kept of the keys that were looked at last, and which rows of it are of which key.
    _looked_at: dict[str, pl.DataFrame] = field(default_factory=dict)
    _by_key: dict[str, dict[tuple[Any, ...], list[int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bucket_s = self.bucket_s or max(1, self.length_s // BUCKETS)
        self._length = timedelta(seconds=self.length_s)
        self._nearness = Nearness(self.keys, self.measures)
        self._parts = parts(self.keys, self.measures)
        self._bucket = timedelta(seconds=self.bucket_s)
        looked_at = frozenset[str]().union(*(measure.columns for measure in self.measures))
        self._columns = ["time", *self.keys, *sorted(looked_at - {"time", *self.keys})]

    def add(self, rows: pl.DataFrame, *least: Mapping[str, float]) -> pl.DataFrame:
        """Count rows, and tell where the measures reach a limit with them: all limits of one ``least`` (none:
        only count).

        Out: a row per key and bucket that rows came to: the keys, the measures of the window that ends with
        the bucket, ``_since`` (its first row in the window) and ``_last`` (its last row so far), by time.
        """
        if any(rows[key].null_count() for key in self.keys):
            rows = rows.filter(pl.all_horizontal(pl.col(key).is_not_null() for key in self.keys))
        if not len(rows):
            return pl.DataFrame()
        self._waiting.append(own(rows.select(self._columns)))
        newest = self._bucket_of(rows["time"].max())
        near = self._nearness.near(rows, newest, least)
        waits = len(self._waiting) < MOST_BATCHES and sum(map(len, self._waiting)) < MOST_WAITING
        if waits and not len(near):
            return pl.DataFrame()
        self._count()
        if self._nearness.crowded:
            self._nearness.note(self._frames())
        if not len(near):
            return pl.DataFrame()
        found = self._reached(near, self._bucket_of(rows["time"].min()), newest, least)
        self._nearness.told(near, found, newest)
        return found

    def values(self, name: str, keys: Mapping[str, str], bucket: datetime) -> list[str]:
        """The distinct values that a measure counted of a key, in the window that ends with a bucket; those
        that came first stand first.
        """
        rows = self._of(name, keys).filter(pl.col(BUCKET) <= bucket, pl.col(BUCKET) > bucket - self._length)
        first = rows.group_by(VALUE).agg(pl.col(SINCE).min()).sort(SINCE, VALUE)
        return [str(value) for value in first[VALUE]]

    def on(self, name: str, keys: Mapping[str, str], bucket: datetime) -> list[str]:
        """The distinct values that a measure counted of a key in one bucket."""
        rows = self._of(name, keys).filter(pl.col(BUCKET) == bucket)
        return [str(value) for value in rows[VALUE].unique(maintain_order=True)]

    def until(self, name: str, keys: Mapping[str, str], instant: datetime) -> float:
        """A count or sum of a key, of what is kept of it from before the bucket of an instant on."""
        return float(self._of("sums", keys).filter(pl.col(BUCKET) <= instant)[name].sum())

    def kept(self, name: str) -> pl.DataFrame:
        """What is kept of a distinct count, or of all counts and sums (``sums``): see ``buckets``."""
        self._count()
        return self._kept[name]

    def state(self, prefix: str = "window") -> dict[str, pl.DataFrame]:
        """What is kept, by name."""
        self._count()
        self._trim()
        if self._nearness.vague(sum(map(len, self._kept.values()))):
            self._nearness.note(self._frames())
        # Nothing is written to disk that is too old to matter.
        young = pl.lit(True) if self._newest is None else pl.col(BUCKET) > self._newest - self._length
        return {f"{prefix}.{name}": frame.filter(young) for name, frame in self._kept.items()}

    def resume(self, state: Mapping[str, pl.DataFrame], prefix: str = "window") -> None:
        """Go on with what was kept; what another version kept otherwise is left out."""
        for part in self._parts:
            frame = state.get(f"{prefix}.{part.name}")
            if frame is not None and set(frame.columns) == set(part.columns):
                self._kept[part.name] = frame.select(part.columns)
        self._nearness.note(self._frames())

    def _frames(self) -> list[tuple[Part, pl.DataFrame]]:
        return [(part, self._kept[part.name]) for part in self._parts if part.name in self._kept]

    def _of(self, name: str, keys: Mapping[str, str]) -> pl.DataFrame:
        """What is kept of a key."""
        self._count()
        if name in self._looked_at:
            looked_at = self._looked_at[name]
            if name not in self._by_key:
                places = looked_at.with_row_index().group_by(self.keys).agg("index")
                self._by_key[name] = {row[:-1]: row[-1] for row in places.iter_rows()}
            mine = self._by_key[name].get(tuple(keys[key] for key in self.keys))
            if mine is not None:
                return looked_at[mine]
        rows = self._kept[name].filter(*(pl.col(key) == value for key, value in keys.items()))
        return rows if self._newest is None else rows.filter(pl.col(BUCKET) > self._newest - self._length)

    def _bucket_of(self, instant: object) -> datetime:
        assert isinstance(instant, datetime)
        return EPOCH + (instant - EPOCH) // self._bucket * self._bucket

    def _count(self) -> None:
        """Count the rows that wait."""
        if not self._waiting:
            return
        # What was counted last is let go only now: until then its values may be asked for.
        self._trim()
        rows = pl.concat(self._waiting).with_columns(
            pl.col("time").dt.truncate(f"{self.bucket_s}s").alias(BUCKET)
        )
        self._waiting, self._looked_at, self._by_key = [], {}, {}
        for part in self._parts:
            new, before = part.counted(rows).select(part.columns), self._kept.get(part.name)
            self._kept[part.name] = new if before is None else pl.concat([before, new])
        self._newest = self._bucket_of(rows["time"].max())

    def _reached(
        self, near: pl.DataFrame, earliest: datetime, newest: datetime, least: Limits
    ) -> pl.DataFrame:
        """The buckets of a batch in which the limits are reached, of some keys."""
        frames = []
        for part in self._parts:
            rows = self._kept[part.name].filter(pl.col(BUCKET) > earliest - self._length)
            frames.append((part, rows.join(near, on=self.keys, how="semi")))
            self._looked_at[part.name] = frames[-1][1]
        reach = self._nearness.may(self._nearness.note(frames, near), least)
        if not reach:
            return pl.DataFrame()
        if len(reach) < len(near):
            keys = pl.DataFrame(reach, near.schema, orient="row")
            frames = [(part, rows.join(keys, on=self.keys, how="semi")) for part, rows in frames]
        buckets = [earliest]
        while buckets[-1] < newest and len(buckets) <= FEW_BUCKETS:
            buckets.append(buckets[-1] + self._bucket)
        if len(buckets) <= FEW_BUCKETS and len(reach) <= FEW_KEYS:
            return in_few(frames, self.keys, self._length, buckets, least)
        return in_many(frames, self.keys, self._length, earliest, least)

    def _trim(self) -> None:
        """Let go what is too old, and what is too much, where enough rows were added since."""
        if self._newest is None:
            return
        for part in self._parts:
            kept, before = self._kept[part.name], self._trimmed.get(part.name, 0)
            if len(kept) - before > max(MOST_ADDED, before):
                self._kept[part.name] = trimmed(part, self.keys, kept, self._newest - self._length)
                self._trimmed[part.name] = len(self._kept[part.name])


def told(found: pl.DataFrame, keys: Sequence[str], by: str, quiet_s: int) -> pl.DataFrame:
    """Of the buckets in which a key reached its limits, those that tell of it: where that began, was most,
    and ended; again after each pause of ``quiet_s`` or more.
    """
    if not len(found):
        return found
    pause = pl.col(LAST).diff().over(keys) >= timedelta(seconds=quiet_s)
    runs = found.sort(LAST, maintain_order=True).with_columns(
        pause.fill_null(False).cum_sum().over(keys).alias("_run")
    )
    by_run = [*keys, "_run"]
    first, last = (runs.unique(by_run, keep=end, maintain_order=True) for end in ("first", "last"))
    peak = runs.sort(by).unique(by_run, keep="last", maintain_order=True)
    picked = pl.concat([first, peak, last]).unique([*by_run, BUCKET], maintain_order=True)
    return picked.sort(LAST, maintain_order=True).drop("_run")
