"""Lines that arrive while the daemon runs become batches, in order of time as far as one batch reaches.

Lines of one source stay in their order.  The same line met in two sources counts once, also where the second
comes some time after the first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from mailscope.intake.clock import Clock, YearDisproved
from mailscope.intake.live import Arrival
from mailscope.recognise.engine import Engine
from mailscope.recognise.events import Events
from mailscope.sequence.duplicates import comparable, mark_duplicates
from mailscope.sequence.merge import ordered
from mailscope.sequence.stream import Inline, Stream

# For so long (by the lines' instants) a line is remembered that another source may hold too.
REMEMBERED: Final = timedelta(minutes=2)
SEEN: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "line": pl.UInt64, "source": pl.String, "time": pl.Datetime("us")
}  # fmt: skip


@dataclass
class _Waiting(Iterator[bytes]):
    """Chunks of a source that have come and are not parsed; more may come after the last one."""

    chunks: deque[bytes] = field(default_factory=deque)

    def __next__(self) -> bytes:
        if not self.chunks:
            raise StopIteration
        return self.chunks.popleft()


@dataclass
class LiveSequence:
    """Arrivals in, batches out.

    ``zone``: of stamps that name none; ``seen``: lines of late, which other sources may hold too.
    """

    engine: Engine
    zone: ZoneInfo
    seen: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SEEN))
    _streams: dict[str, Stream] = field(default_factory=dict)
    _waiting: dict[str, _Waiting] = field(default_factory=dict)

    def read_by(self, engine: Engine) -> None:
        """Recognise lines that come from now on by another engine."""
        self.engine = engine
        for stream in self._streams.values():
            stream.engine = engine

    def batch(self, arrivals: Iterable[Arrival], now: datetime) -> list[Events]:
        """The lines of some arrivals, in order of time; no stamp is far beyond ``now`` (naive UTC)."""
        pieces = []
        for arrival in arrivals:
            events, key = self._parsed(arrival, now)
            rank = list(self._streams).index(arrival.source)
            pieces.append((rank, events, key))
        if not pieces:
            return []
        batch = mark_duplicates(ordered(pieces))
        return self._without_seen(batch)

    def _parsed(self, arrival: Arrival, now: datetime) -> tuple[Events, pl.Series]:
        stream = self._streams.get(arrival.source)
        if stream is None or arrival.first:
            self._waiting.setdefault(arrival.source, _Waiting())
            stream = self._streams[arrival.source] = self._stream(arrival, now)
        stream.clock.bound = now.replace(tzinfo=UTC)
        stream.line_number = arrival.line_number
        while True:
            self._waiting[arrival.source].chunks.append(arrival.data)
            try:
                events = stream.take()
            except YearDisproved as disproved:
                back = stream.clock.years_back + disproved.years
                stream = self._streams[arrival.source] = self._stream(arrival, now, back)
                continue
            assert events is not None
            return events, stream.merge_key(events)

    def _stream(self, arrival: Arrival, now: datetime, back: int = 0) -> Stream:
        clock = Clock(arrival.source, self.zone, now.replace(tzinfo=UTC), back)
        rank = len(self._streams)
        return Stream(
            arrival.source,
            self._waiting[arrival.source],
            clock,
            self.engine,
            Inline(),
            1,
            rank,
            arrival.line_number,
            set_id=arrival.set_id,
        )

    def _without_seen(self, batch: list[Events]) -> list[Events]:
        """The batch without lines that another source had before; and these lines remembered."""
        if len(self._streams) < 2:
            return batch
        fresh = [_lines(events).with_columns(pl.lit(n).alias("piece")) for n, events in enumerate(batch)]
        lines = pl.concat(fresh)
        known = lines.filter(pl.col("line").is_in(self.seen["line"].implode()))
        if len(known):
            batch = list(self._thinned(batch, known))
        self.seen = pl.concat([self.seen, lines.select(list(SEEN))])
        latest = lines["time"].max()
        if isinstance(latest, datetime):
            self.seen = self.seen.filter(pl.col("time") >= latest - REMEMBERED)
        return batch

    def _thinned(self, batch: list[Events], known: pl.DataFrame) -> Iterator[Events]:
        """The n-th time that a source holds a line is the same line as the n-th time in another."""
        counts = self.seen.group_by("line", "source").agg(pl.len().alias("count"))
        own = counts.rename({"count": "own"})
        most = counts.rename({"source": "other"})
        nth = known.join(own, on=["line", "source"], how="left").with_columns(
            (pl.col("own").fill_null(0) + pl.col("line").cum_count().over("source", "line")).alias("nth")
        )
        hits = (
            nth.join(most, on="line", how="inner")
            .filter((pl.col("other") != pl.col("source")) & (pl.col("count") >= pl.col("nth")))
            .unique(["piece", "row"])
        )
        for number, events in enumerate(batch):
            rows = hits.filter(pl.col("piece") == number)["row"]
            if len(rows):
                keep = pl.Series([True]).new_from_index(0, len(events.raw)).scatter(rows, False)
                events = events.select(keep, duplicate=len(rows))
            yield events


def _lines(events: Events) -> pl.DataFrame:
    """The lines of a chunk that may be compared: hash, source, instant, row."""
    frame = pl.DataFrame({"line": events.raw.hash(), "time": events.time}).with_row_index("row")
    return frame.with_columns(pl.lit(events.source).alias("source")).filter(comparable(events))
