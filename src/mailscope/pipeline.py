"""The flow, on one page: bytes -> lines -> events -> trails -> whatever the caller makes of them.

    sources --read--> chunks --parse (side by side)--> events --clock, merge (in order)--> batches
                                                                 batches --tracker--> outcomes

Parsing a chunk is stateless, so chunks are parsed in threads (Polars releases the interpreter's
lock); what needs order (the year, time merging of overlapping files, trails) follows, in order.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from mailscope.intake.clock import YearDisproved
from mailscope.intake.sources import Opened, Sources
from mailscope.recognise.engine import Engine
from mailscope.recognise.events import Events
from mailscope.recognise.library import Library
from mailscope.sequence.merge import Pending, merge
from mailscope.sequence.selection import Selection
from mailscope.sequence.stream import Stream
from mailscope.trails.tracker import Outcome, Tracker
from mailscope.vocabulary.errors import InputError

Result = TypeVar("Result")


def threads() -> int:
    """How many chunks are parsed side by side (MAILSCOPE_THREADS, default 2)."""
    return max(1, int(os.environ.get("MAILSCOPE_THREADS", "2")))


@dataclass
class Pipeline:
    """One run over some sources.

    ``needed`` says which fields later stages look at, by event (None: all of them); ``selection``
    which lines count.
    """

    sources: Sources
    library: Library
    needed: Mapping[str, frozenset[str]] | None = None
    selection: Selection = field(default_factory=Selection)

    def batches(self) -> Iterator[list[Events]]:
        """Recognised lines in order of time, batch after batch."""
        engine = Engine(self.library, self.needed)
        gc.freeze()
        with ThreadPoolExecutor(threads()) as pool:
            pending = [
                Pending(opened.first, partial(self._stream, rank, opened, engine, pool))
                for rank, opened in enumerate(self.sources.opened())
            ]
            for batch in merge(pending, self.sources.chunk_bytes):
                selected = [self.selection.apply(events) for events in batch]
                del batch
                yield selected
                del selected

    def follow(self) -> Iterator[tuple[list[Events], Outcome]]:
        """Batches with what each adds to the stories; the last pair has no lines."""
        tracker = Tracker(detail=self.needed is None)
        # A batch is let go before the next one is made: memory holds one of them, not two.
        batches = self.batches()
        while (batch := next(batches, None)) is not None:
            pair = batch, tracker.feed(batch)
            del batch
            yield pair
            del pair
        yield [], tracker.finish()

    def _stream(self, rank: int, opened: Opened, engine: Engine, pool: ThreadPoolExecutor) -> Stream:
        # Of many files that are read side by side, one chunk each keeps all threads busy.
        ahead = threads() if self.sources.at_once <= threads() else 1
        return Stream(
            opened.name, opened.chunks(), opened.clock(), engine, pool, ahead, rank, set_id=opened.set_id
        )


def restarting(pipeline: Pipeline, work: Callable[[Pipeline], Result]) -> Result:
    """Do some work over a pipeline, from the start again whenever a log proves to begin a year earlier.

    ``work`` must begin with nothing each time it is called.  Raises InputError for standard input, which
    cannot be read twice.
    """
    while True:
        try:
            return work(pipeline)
        except YearDisproved as disproved:
            streams = [source.name for source in pipeline.sources.files if source.size_bytes is None]
            if disproved.source in streams:
                what = "its stamps have no year, and their order tells that it begins in an earlier one"
                raise InputError(what, disproved.source, "save it in a file and name that") from None
            pipeline.sources.go_back(disproved.source, disproved.years)
