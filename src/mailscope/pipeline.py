"""The flow, on one page: bytes -> lines -> events -> trails -> whatever the caller makes of them.

    sources --read--> chunks --parse (side by side)--> events --clock, merge (in order)--> batches
                                                                 batches --tracker--> outcomes

Parsing a chunk is stateless, so chunks are parsed in threads (Polars releases the interpreter's
lock); what needs order (the year, time merging of overlapping files, trails) follows, in order.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from mailscope.intake.sources import Opened, Sources
from mailscope.recognise.engine import Engine
from mailscope.recognise.events import Events
from mailscope.recognise.library import Library
from mailscope.sequence.merge import Pending, merge
from mailscope.sequence.selection import Selection
from mailscope.sequence.stream import Stream
from mailscope.trails.tracker import Outcome, Tracker


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
            for batch in merge(pending):
                yield [self.selection.apply(events) for events in batch]

    def follow(self) -> Iterator[tuple[list[Events], Outcome]]:
        """Batches with what each adds to the stories; the last pair has no lines."""
        tracker = Tracker()
        for batch in self.batches():
            yield batch, tracker.feed(batch)
        yield [], tracker.finish()

    def _stream(self, rank: int, opened: Opened, engine: Engine, pool: ThreadPoolExecutor) -> Stream:
        return Stream(opened.name, opened.chunks(), opened.clock(), engine, pool, threads() + 1, rank)
