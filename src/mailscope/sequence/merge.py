"""Several sources become one sequence in order of time.

A source is opened when the sequence reaches its first instant, so that a rotated set is read one file
after the other and only files that really overlap are held side by side.  Where just one source
covers a span, its chunks pass through untouched, in file order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import polars as pl

from mailscope.recognise.events import Events
from mailscope.sequence.duplicates import mark_duplicates
from mailscope.sequence.stream import Stream

CHUNKS_A_BATCH: Final = 2
# About so many bytes are a line.
LINE_BYTES: Final = 150


@dataclass
class Pending:
    """A source that is not open yet: when it begins, and how to open it."""

    first: datetime | None
    open: Callable[[], Stream]


@dataclass
class _Chunk:
    """Lines that are read but not yet passed on, apart from the first ``done``; ``key``: their instants."""

    events: Events
    key: pl.Series
    done: int = 0

    def upto(self, reach: datetime) -> int:
        """How many of its lines are not after an instant."""
        return int((self.key <= reach).sum())

    def pass_on(self, reach: datetime) -> tuple[Events, pl.Series] | None:
        """The lines up to an instant, with the keys of all lines."""
        upto = self.upto(reach)
        if upto <= self.done:
            return None
        events = self.events
        if self.done or upto < len(self.key):
            rows = pl.int_range(len(self.key), dtype=pl.UInt32, eager=True)
            events = events.select((rows >= self.done) & (rows < upto))
        # Blank lines are counted with the last piece of their chunk.
        events = events if upto == len(self.key) else replace(events, blank=0)
        self.done = upto
        return events, self.key


@dataclass
class _Held:
    """An open source with the chunks that are read and not passed on as a whole.

    ``empty`` is the last chunk met that holds blank lines only.
    """

    stream: Stream
    chunks: list[_Chunk] = field(default_factory=list)
    ended: bool = False
    empty: Events | None = None

    @property
    def last(self) -> datetime:
        """The instant of the last line held."""
        last = self.chunks[-1].key[-1]
        assert isinstance(last, datetime)
        return last

    def upto(self, reach: datetime) -> int:
        """How many lines can be passed on up to an instant."""
        return sum(max(0, chunk.upto(reach) - chunk.done) for chunk in self.chunks)

    def extend(self) -> int:
        """Read one more chunk, or find the source ended: how many blank lines then stand at its end."""
        blank = 0
        events = self.stream.take()
        while events is not None and not len(events.raw):
            blank += events.blank
            self.empty = events
            events = self.stream.take()
        if events is None:
            self.ended = True
            return blank
        events = replace(events, blank=events.blank + blank) if blank else events
        self.chunks.append(_Chunk(events, self.stream.merge_key(events)))
        return 0


def merge(pending: Sequence[Pending], chunk_bytes: int) -> Iterator[list[Events]]:
    """Batches in order of time; a batch holds the lines of all sources that cover its span.

    ``chunk_bytes``: of a chunk of one source alone.  What is passed on of several at once has as many lines
    as of one, where there are so many, whatever the size of their own chunks.
    """
    wanted = CHUNKS_A_BATCH * chunk_bytes // LINE_BYTES
    waiting = sorted(pending, key=lambda source: source.first or datetime.min)
    held: list[_Held] = []
    blank = 0
    while waiting or held:
        reach = min((source.last for source in held), default=datetime.max)
        if waiting and (not held or (waiting[0].first or datetime.min) <= reach):
            source = _Held(waiting.pop(0).open())
            alone = source.extend()
            if not source.ended:
                held.append(source)
            elif source.empty is not None:
                yield [replace(source.empty, blank=alone)]
        elif len(held) == 1 and len(held[0].chunks) == 1 and not held[0].chunks[0].done:
            yield _alone(held, waiting)
        elif (next_one := _first_to_end(held)) and sum(each.upto(reach) for each in held) < wanted:
            blank += next_one.extend()
        else:
            yield _window(held, reach, blank)
            blank = 0


def _alone(held: list[_Held], waiting: Sequence[Pending]) -> list[Events]:
    """Several chunks of the only source of a span: what follows costs much the same for one or for two."""
    source = held[0]
    lines = 0
    batch = []
    for _ in range(CHUNKS_A_BATCH):
        events = source.chunks.pop().events
        order = pl.int_range(lines, lines + len(events.raw), dtype=pl.UInt32, eager=True)
        lines += len(events.raw)
        blank = source.extend()
        batch.append(replace(events, order=order, blank=events.blank + blank))
        if source.ended:
            held.clear()
            break
        if waiting and (waiting[0].first or datetime.min) <= source.last:
            break
    return batch


def _first_to_end(held: Sequence[_Held]) -> _Held | None:
    """The source that has to be read on so that more can be passed on, unless it is read to its end."""
    source = min(held, key=lambda each: each.last)
    return None if source.ended else source


def _window(held: list[_Held], reach: datetime, blank: int) -> list[Events]:
    """Pass on everything up to an instant, from all open sources; ``blank``: of lines met at their ends.

    A source whose lines end with this very instant may go on with it in its next chunk; its lines would then
    come after those of the others, and a line that two files hold would count twice.
    """
    pieces: list[tuple[int, Events, pl.Series]] = []
    for source in held:
        while not source.ended and source.last == reach:
            blank += source.extend()
        found = [chunk.pass_on(reach) for chunk in source.chunks]
        pieces += [(source.stream.rank, *piece) for piece in found if piece is not None]
        source.chunks = [chunk for chunk in source.chunks if chunk.done < len(chunk.key)]
    held[:] = [source for source in held if source.chunks]
    batch = mark_duplicates(ordered(pieces))
    return [replace(batch[0], blank=batch[0].blank + blank), *batch[1:]] if blank else batch


def ordered(pieces: list[tuple[int, Events, pl.Series]]) -> list[Events]:
    """Give each line its rank among all lines of the window: by instant, then source, then line."""
    pieces.sort(key=lambda piece: piece[0])
    if len(pieces) == 1:
        return [pieces[0][1]]
    lines = pl.concat(
        [
            pl.DataFrame({"time": key, "alive": events.alive if events.alive is not None else _all(len(key))})
            .with_row_index("row")
            .with_columns(pl.lit(number, pl.UInt32).alias("piece"))
            for number, (_, events, key) in enumerate(pieces)
        ]
    ).with_row_index("position")
    ranked = lines.filter("alive").sort("time", "piece", "row").with_row_index("order")
    order = pl.Series([0], dtype=pl.UInt32).new_from_index(0, len(lines))
    order = order.scatter(ranked["position"], ranked["order"])
    out: list[Events] = []
    at = 0
    for _, events, key in pieces:
        out.append(replace(events, order=order.slice(at, len(key))))
        at += len(key)
    return out


def _all(length: int) -> pl.Series:
    return pl.Series([True]).new_from_index(0, length)
