"""The messages that wait in the queue, as far as the log tells: taken in, and not yet gone.

A spool that is read may say the same more surely: whoever has its entries gives ``Level``s too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from mailscope.vocabulary.columns import own
from mailscope.watch.pulses import GRACE, floor
from mailscope.watch.seen import Seen
from mailscope.watch.window import TIME

PULSE_S: Final = 300
# Messages that are followed; beyond them the oldest are let go, as those whose end was never logged.
MOST: Final = 200_000
LIFETIME: Final = timedelta(days=7)
SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "trail": pl.UInt64,
    "begin": TIME,
    # The first recipient's domain for which it was put off, and when; null while none was.
    "domain": pl.String,
    "put_off": TIME,
}
END: Final = "end"
# A queue that was looked at longer before or after tells nothing of an instant.
NEAR: Final = timedelta(seconds=2 * PULSE_S)


@dataclass(frozen=True)
class Level:
    """What waits at an instant: how many messages, for which domains; ``followed`` may hold others too."""

    time: datetime
    messages: int
    by_domain: Mapping[str, int]
    followed: pl.DataFrame

    def rows(self, domain: str | None = None) -> pl.DataFrame:
        """The messages that wait (``SCHEMA``), or those for one domain."""
        there = (pl.col("begin") <= self.time) & (pl.col(END) > self.time).fill_null(True)
        if domain is not None:
            there &= (pl.col("domain") == domain) & (pl.col("put_off") <= self.time)
        return self.followed.filter(there).select(list(SCHEMA))


@dataclass
class Latest:
    """What the queue of ``host`` itself held when it was looked at last; None where nobody looks.  Whoever
    looks fills it in.
    """

    level: Level | None = None
    host: str = ""

    def near(self, level: Level) -> Level:
        """The same instant by what the queue held, where that was looked at about then; else as it was
        reckoned.
        """
        found = self.level
        if found is None or abs(level.time - found.time) > NEAR:
            return level
        # What came between that instant and the look counts, too: it is a few minutes at most.
        followed = found.followed.with_columns(pl.col("begin", "put_off").clip(upper_bound=level.time))
        return Level(level.time, found.messages, found.by_domain, followed)


@dataclass
class Waiting:
    """The messages under way.  ``fewest``: domains with fewer messages are left out of what is told."""

    fewest: int
    open: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SCHEMA))
    _judged: datetime | None = None

    def levels(self, seen: Seen, deferred: pl.DataFrame) -> Iterator[Level]:
        """What waited at the end of each pulse that is over; ``deferred``: attempts that were put off."""
        rows = self._together(seen, deferred)
        edge = floor(seen.now - GRACE, PULSE_S)
        if self._judged is None:
            first = rows["begin"].min()
            self._judged = floor(first, PULSE_S) if isinstance(first, datetime) else None
        if self._judged is not None and edge > self._judged:
            yield from self._between(rows, self._judged, edge)
            self._judged = edge
        left = rows.filter(pl.col(END).is_null(), pl.col("begin") > seen.now - LIFETIME)
        if len(left) > MOST:
            left = left.sort("begin", "trail").tail(MOST)
        self.open = left.select(list(SCHEMA))

    def _together(self, seen: Seen, deferred: pl.DataFrame) -> pl.DataFrame:
        """What was open before and what the batch has lines of, each with its ``end`` if that was seen."""
        gone = pl.col("ended").is_not_null() | pl.col("held") | pl.col("superseded")
        touched = seen.messages.filter(~pl.col("endless"), pl.col("first_time").is_not_null()).select(
            "trail", pl.col("first_time").alias("begin"), pl.when(gone).then("last_time").alias(END)
        )
        first = pl.DataFrame(schema={"trail": pl.UInt64, "domain": pl.String, "put_off": TIME})
        if len(deferred):
            first = deferred.group_by("trail").agg(
                pl.col("domain").sort_by("time").first(), pl.col("time").min().alias("put_off")
            )
        before = self.open.with_columns(pl.lit(None, TIME).alias(END))
        if not len(touched):
            return before
        known = touched.join(before.select("trail", "domain", "put_off"), on="trail", how="left")
        known = known.join(own(first), on="trail", how="left").select(
            "trail",
            "begin",
            pl.coalesce("domain", "domain_right").alias("domain"),
            pl.coalesce("put_off", "put_off_right").alias("put_off"),
            END,
        )
        return pl.concat([before.join(touched, on="trail", how="anti"), known])

    def _between(self, rows: pl.DataFrame, judged: datetime, edge: datetime) -> Iterator[Level]:
        """The levels at the ends of the pulses between two instants."""
        edges = pl.datetime_range(
            judged + timedelta(seconds=PULSE_S), edge, f"{PULSE_S}s", time_unit="us", eager=True
        )
        total = _counts(rows["begin"], rows[END], edges)
        put_off = rows.filter(pl.col("domain").is_not_null())
        many = put_off.group_by("domain").len().filter(pl.col("len") >= self.fewest)["domain"].sort()
        by_domain = {
            name: _counts(mine["put_off"], mine[END], edges)
            for name in many
            if len(mine := put_off.filter(pl.col("domain") == name))
        }
        for place, instant in enumerate(edges):
            told = {name: counts[place] for name, counts in by_domain.items() if counts[place] >= self.fewest}
            yield Level(instant, total[place], told, rows)

    def state(self, prefix: str = "waiting") -> dict[str, pl.DataFrame]:
        """What is kept, by name."""
        judged = pl.DataFrame({"time": [self._judged]}, schema={"time": TIME})
        return {f"{prefix}.open": self.open, f"{prefix}.judged": judged}

    def resume(self, state: Mapping[str, pl.DataFrame], prefix: str = "waiting") -> None:
        """Go on with what was kept."""
        opened, judged = state.get(f"{prefix}.open"), state.get(f"{prefix}.judged")
        if opened is not None and opened.schema == pl.Schema(SCHEMA):
            self.open = opened
        if judged is not None and len(judged):
            self._judged = judged["time"][0]


def _counts(begins: pl.Series, ends: pl.Series, edges: pl.Series) -> list[int]:
    """How many spans hold each instant: begun by then, and not ended."""
    begun = begins.drop_nulls().sort().search_sorted(edges, side="right")
    ended = ends.drop_nulls().sort().search_sorted(edges, side="right")
    assert isinstance(begun, pl.Series)
    assert isinstance(ended, pl.Series)
    return [one - two for one, two in zip(begun.to_list(), ended.to_list(), strict=True)]
