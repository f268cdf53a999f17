"""One source as a run of recognised, timed chunks; the parsing runs ahead in threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl

from mailscope.intake.clock import Clock, YearDisproved
from mailscope.intake.lines import Lines, parse_lines
from mailscope.recognise.engine import Engine
from mailscope.recognise.events import Events
from mailscope.recognise.recognised import Recognised

Parsed = tuple[Lines, Recognised]


class Inline(Executor):
    """Does work at once, in the caller's thread."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run the work and give its result as a finished Future."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def parse(data: bytes, engine: Engine) -> Parsed:
    """The stateless part of the work on a chunk; runs in any thread."""
    lines = parse_lines(data)
    return lines, engine.recognise(lines.header.tag, lines.header.text)


@dataclass
class Stream:
    """A source being read.

    ``chunks`` gives its bytes; ``ahead`` is how many chunks may be under way at once.  ``take`` gives
    the next chunk's events, None at the end.
    """

    name: str
    chunks: Iterator[bytes]
    clock: Clock
    engine: Engine
    pool: Executor
    ahead: int
    rank: int = 0
    line_number: int = 1
    latest: datetime | None = None
    set_id: str | None = None
    _waiting: deque[Future[Parsed]] = field(default_factory=deque)

    def take(self) -> Events | None:
        """The next chunk's events, or None when the source is exhausted.

        Raises YearDisproved where the source began a year earlier than was assumed.
        """
        while len(self._waiting) < self.ahead:
            data = next(self.chunks, None)
            if data is None:
                break
            self._waiting.append(self.pool.submit(parse, data, self.engine))
        if not self._waiting:
            return None
        lines, recognised = self._waiting.popleft().result()
        return self._timed(lines, recognised)

    def _timed(self, lines: Lines, recognised: Recognised) -> Events:
        header = lines.header
        time, quality = self.clock.instants(header)
        if self.clock.disproved:
            raise YearDisproved(self.name, self.clock.disproved)
        place = lines.number
        if place is None:
            place = pl.int_range(len(lines.raw), dtype=pl.UInt32, eager=True)
        events = Events(
            source=self.name,
            raw=lines.raw,
            text=recognised.text,
            time=time,
            quality=quality,
            host=header.host,
            pri=header.pri,
            number=place.cast(pl.UInt64) + self.line_number,
            recognised=recognised,
            blank=lines.blank,
            set_id=self.set_id,
        )
        self.line_number += lines.total
        return events

    def merge_key(self, events: Events) -> pl.Series:
        """Instants that never go back, so that late lines keep their place among their neighbours."""
        key, self.latest = never_back(events.time, self.latest)
        return key


def never_back(time: pl.Series, latest: datetime | None) -> tuple[pl.Series, datetime | None]:
    """Instants of lines as they order a source, which never go back, and the latest of them so far."""
    # Lines before the first instant of all (a file may have none) come before everything.
    key = time.cum_max().forward_fill().fill_null(datetime.min)
    if latest is not None:
        key = pl.select(pl.max_horizontal(key, pl.lit(latest, pl.Datetime("us")))).to_series()
    return key, key[-1] if len(key) and isinstance(key[-1], datetime) else latest
