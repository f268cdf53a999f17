"""Loading history: logs that were written before are stored as if their lines had just come.

What follows on what the store holds is followed with it, so that a message whose beginning was stored goes
on.  Older logs are followed by themselves; what is not finished at their end stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from mailscope.pipeline import Pipeline
from mailscope.recognise.events import Events
from mailscope.store import days
from mailscope.store.known import Known
from mailscope.store.sealing import SLICE_ROWS, next_slice, seal
from mailscope.store.writer import Writer
from mailscope.vocabulary.instants import naive_now

# Clocks of hosts differ by less.
LATE: Final = timedelta(hours=2)
# After so many lines what may be sealed is: sooner, there would be a small file of each batch.
SEAL_LINES: Final = 4 * SLICE_ROWS


@dataclass
class Loaded:
    """What loading came to, in lines; ``known``: the store, or another of the files, had them already."""

    read: int = 0
    stored: int = 0
    known: int = 0
    blank: int = 0


class Loading:
    """One run of loading: batches one after the other, then the end.

    Others may write between them; what they store is known too, where ``known.come`` tells of it.
    """

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.loaded = Loaded()
        self.known = Known(writer.database, writer.under_way.batch)
        # What set each source is of.
        self.sets: dict[str, str | None] = {}
        self._begun = self._apart = False

    def add(
        self, batch: list[Events], sets: Mapping[str, str | None], blank: int = 0, duplicate: int = 0
    ) -> None:
        """Store what is new of a batch; ``blank``, ``duplicate``: how many lines it was read without."""
        lines = sum(events.read for events in batch)
        thinned = self.known.without(batch)
        if thinned and not self._begun and _before(thinned, self.writer.tracker.now):
            self.writer.follow_apart()
            self._apart = True
        self._begun = self._begun or bool(thinned)
        stored = 0
        if thinned:
            stored = self.writer.write(thinned, {}, sets, apart=self._apart).lines
            self.writer.settle()
            self.known.own.add(self.writer.under_way.batch)
        self.sets.update(sets)
        self.loaded.read += lines + blank + duplicate
        self.loaded.stored += stored
        self.loaded.blank += blank
        self.loaded.known += lines - stored + duplicate

    def end(self) -> None:
        """All is read, or what is left will not be."""
        with self.writer.database.transaction():
            self.writer.note_sources(dict.fromkeys(self.sets), self.sets)
        if self._apart:
            self._apart = False
            self.writer.end_apart()
        else:
            self.writer.checkpoint()


def ingest(writer: Writer, pipeline: Pipeline, watch: Callable[[Loaded], None] | None = None) -> Loaded:
    """Store all lines of a pipeline's sources that are not stored yet.

    Raises YearDisproved as ``Pipeline.batches`` does: called again, it goes on, as what is stored is known.
    """
    loading = Loading(writer)
    sets = {source.name: source.set_id for source in pipeline.sources.files}
    loading.sets.update(sets)
    hot = 0
    for batch in pipeline.batches():
        blank = sum(events.blank for events in batch)
        hot -= loading.loaded.stored
        loading.add(batch, sets, blank, sum(events.duplicate for events in batch))
        hot += loading.loaded.stored
        if watch is not None:
            watch(loading.loaded)
        if hot > SEAL_LINES:
            seal_due(writer)
            hot = 0
    loading.end()
    seal_due(writer)
    days.tidy_all(writer.database, writer.zone, naive_now())
    return loading.loaded


def seal_due(writer: Writer) -> None:
    """Seal all that may be."""
    now = naive_now()
    part = next_slice(writer.database, now)
    if part is None:
        return
    writer.checkpoint_of_batch()
    while part is not None:
        seal(writer.database, part)
        part = next_slice(writer.database, now)
    # Of history, a day is over when its lines are.
    days.tidy_all(writer.database, writer.zone, min(now, writer.tracker.now or now))


def _before(batch: list[Events], now: datetime | None) -> bool:
    """Whether lines are older than what the store follows just now."""
    times = [events.time.min() for events in batch if len(events.time)]
    first = min((time for time in times if isinstance(time, datetime)), default=None)
    return now is not None and first is not None and first < now - LATE
