"""Several sources become one sequence in order of time.

A source is opened when the sequence reaches its first instant, so that a rotated set is read one file
after the other and only files that really overlap are held side by side.  Where just one source
covers a span, its chunks pass through untouched, in file order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import polars as pl

from mailscope.recognise.events import Events
from mailscope.sequence.duplicates import mark_duplicates
from mailscope.sequence.stream import Stream


CHUNKS_A_BATCH: Final = 2


@dataclass
class Pending:
    """A source that is not open yet: when it begins, and how to open it."""

    first: datetime | None
    open: Callable[[], Stream]


@dataclass
class _Held:
    """An open source with the lines that are read but not yet passed on."""

    stream: Stream
    events: Events
    key: pl.Series
    done: int = 0

    @property
    def last(self) -> datetime:
        """The instant of the last line held."""
        value = self.key[-1]
        return value if isinstance(value, datetime) else datetime.max


def merge(pending: Sequence[Pending]) -> Iterator[list[Events]]:
    """Batches in order of time; a batch holds one piece per source that covers its span."""
    waiting = sorted(pending, key=lambda source: source.first or datetime.min)
    held: list[_Held] = []
    while waiting or held:
        if not held:
            _open(waiting.pop(0), held)
            continue
        reach = min(source.last for source in held)
        if waiting and (waiting[0].first or datetime.min) <= reach:
            _open(waiting.pop(0), held)
            continue
        if len(held) == 1 and held[0].done == 0:
            yield list(_alone(held, waiting))
            continue
        yield from _window(held, reach)


def _alone(held: list[_Held], waiting: Sequence[Pending]) -> Iterator[Events]:
    """Several chunks of the only source of a span: what follows costs much the same for one or for two."""
    lines = 0
    before = waiting[0].first if waiting else None
    for _ in range(CHUNKS_A_BATCH):
        events = held[0].events
        yield replace(events, order=pl.int_range(lines, lines + len(events.raw), dtype=pl.UInt32, eager=True))
        lines += len(events.raw)
        _refill(held, 0)
        if not held or (waiting and (before or datetime.min) <= held[0].last):
            return


def _open(source: Pending, held: list[_Held]) -> None:
    stream = source.open()
    events = stream.take()
    while events is not None and not len(events.raw):
        events = stream.take()
    if events is not None:
        held.append(_Held(stream, events, stream.merge_key(events)))


def _refill(held: list[_Held], index: int) -> None:
    """Put the next chunk of a source in place of the one that is used up; drop ended sources."""
    stream = held[index].stream
    blank = 0
    events = stream.take()
    while events is not None and not len(events.raw):
        blank += events.blank
        events = stream.take()
    if events is None:
        del held[index]
    else:
        if blank:
            events = replace(events, blank=events.blank + blank)
        held[index] = _Held(stream, events, stream.merge_key(events))


def _window(held: list[_Held], reach: datetime) -> Iterator[list[Events]]:
    """Pass on everything up to an instant, from all open sources, and refill those used up."""
    pieces: list[tuple[int, Events, pl.Series]] = []
    for source in held:
        upto = int((source.key <= reach).sum())
        if upto > source.done:
            rows = pl.int_range(len(source.key), dtype=pl.UInt32, eager=True)
            mask = (rows >= source.done) & (rows < upto)
            whole = upto == len(source.key)
            events = source.events.select(mask)
            # Blank lines are counted with the last piece of their chunk.
            events = events if whole else replace(events, blank=0)
            pieces.append((source.stream.rank, events, source.key))
            source.done = upto
    if pieces:
        yield mark_duplicates(_ordered(pieces))
    for index in reversed(range(len(held))):
        if held[index].done == len(held[index].key):
            _refill(held, index)


def _ordered(pieces: list[tuple[int, Events, pl.Series]]) -> list[Events]:
    """Give each line its rank among all lines of the window: by instant, then source, then line."""
    pieces.sort(key=lambda piece: piece[0])
    if len(pieces) == 1:
        return [pieces[0][1]]
    lines = pl.concat(
        [
            pl.DataFrame({"time": key, "alive": events.alive})
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
