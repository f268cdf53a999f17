"""The lines that were found, read as a source: recognised, timed and merged like a whole log.

In: a search's lines by position.  Out: batches of events in order of time.  Sampled lines go along for
the year's sake (``search.samples``) and are taken out again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from mailscope.intake.clock import Clock
from mailscope.intake.lines import Lines, parse_lines
from mailscope.intake.sources import Opened, Sources
from mailscope.recognise.engine import Engine
from mailscope.recognise.events import Events
from mailscope.recognise.library import Library
from mailscope.recognise.recognised import Recognised
from mailscope.sequence.merge import Pending, merge
from mailscope.sequence.stream import Stream
from mailscope.trails.search.spans import Position
from mailscope.trails.search.wants import Found


@dataclass
class Excerpt(Stream):
    """Some lines of a source.

    ``counted`` says which of them count; the others are there for their stamps.  ``Events.number`` is the
    position in the excerpt, from 0.
    """

    counted: Sequence[bool] = field(default_factory=list)

    def _timed(self, lines: Lines, recognised: Recognised) -> Events:
        events = super()._timed(lines, recognised)
        mask = pl.Series(self.counted, dtype=pl.Boolean).gather(events.number)
        return events if mask.all() else events.select(mask)


@dataclass
class Excerpts:
    """The excerpts of all files; ``positions`` gives, by source name, where each line stands."""

    found: Found
    sources: Sources
    library: Library
    positions: dict[str, list[Position]] = field(default_factory=dict)

    def batches(self) -> Iterator[list[Events]]:
        """Events in order of time.  Raises YearDisproved as ``pipeline`` does."""
        engine = Engine(self.library)
        opened = self.sources.opened()
        with ThreadPoolExecutor(1) as pool:
            excerpts = [(number, self._lines(number)) for number in range(len(opened))]
            excerpts = [
                (number, lines) for number, lines in excerpts if any(counts for _, _, counts in lines)
            ]
            several = len(excerpts) > 1
            pending = [
                self._pending(number, opened[number], lines, engine, pool, ordered=several)
                for number, lines in excerpts
            ]
            yield from merge(pending, self.sources.chunk_bytes)

    def _lines(self, number: int) -> list[tuple[Position, bytes, bool]]:
        """Position, line and whether it counts, in file order."""
        found = self.found
        wanted = {
            position: line
            for lines in (found.lines, found.loose)
            for position, line in lines.items()
            if position[0] == number
        }
        samples = {
            (number, offset): line
            for offset, line in found.samples.get(number, ())
            if (number, offset) not in wanted
        }
        rows = [(position, line, True) for position, line in wanted.items()]
        rows += [(position, line, False) for position, line in samples.items()]
        return sorted(rows)

    def _pending(
        self,
        number: int,
        source: Opened,
        lines: list[tuple[Position, bytes, bool]],
        engine: Engine,
        pool: ThreadPoolExecutor,
        *,
        ordered: bool,
    ) -> Pending:
        self.positions[source.name] = [position for position, _, _ in lines]
        data = b"\n".join(line for _, line, _ in lines)
        counted = [counts for _, _, counts in lines]

        def open_stream() -> Stream:
            return Excerpt(
                source.name,
                iter([data]),
                source.clock(),
                engine,
                pool,
                1,
                number,
                line_number=0,
                set_id=source.set_id,
                counted=counted,
            )

        return Pending(_first(lines, source.clock()) if ordered else None, open_stream)


def _first(lines: list[tuple[Position, bytes, bool]], clock: Clock) -> datetime | None:
    """The instant of the first line that counts."""
    upto = next((index for index, (_, _, counts) in enumerate(lines) if counts), 0)
    time, _ = clock.instants(parse_lines(b"\n".join(line for _, line, _ in lines[: upto + 1])).header)
    value = time[-1] if len(time) else None
    return value if isinstance(value, datetime) else None
