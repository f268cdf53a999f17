"""Loading history: logs that were written before are stored as if their lines had just come.

What follows on what the store holds is followed with it, so that a message whose beginning was stored goes
on.  Older logs are followed by themselves; what is not finished at their end stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mailscope.pipeline import Pipeline
from mailscope.recognise.events import Events
from mailscope.store import days
from mailscope.store.known import Known
from mailscope.store.sealing import next_slice, seal
from mailscope.store.writer import Writer

# Clocks of hosts differ by less.
LATE = timedelta(hours=2)


@dataclass
class Loaded:
    """What loading came to, in lines; ``known``: the store, or another of the files, had them already."""

    read: int = 0
    stored: int = 0
    known: int = 0
    blank: int = 0


def ingest(writer: Writer, pipeline: Pipeline, watch: Callable[[Loaded], None] | None = None) -> Loaded:
    """Store all lines of a pipeline's sources that are not stored yet.

    Raises YearDisproved as ``Pipeline.batches`` does: called again, it goes on, as what is stored is known.
    """
    loaded = Loaded()
    known = Known(writer.database, writer.under_way.batch)
    names = [source.name for source in pipeline.sources.files]
    sets = {source.name: source.set_id for source in pipeline.sources.files}
    apart = False
    for number, batch in enumerate(pipeline.batches()):
        lines = sum(events.read for events in batch)
        blank = sum(events.blank for events in batch)
        duplicate = sum(events.duplicate for events in batch)
        batch = known.without(batch)
        if not number and _before(batch, writer.tracker.now):
            writer.follow_apart()
            apart = True
        stored = writer.write(batch, {}, sets).lines if batch else 0
        loaded.read += lines + blank + duplicate
        loaded.stored += stored
        loaded.blank += blank
        loaded.known += lines - stored + duplicate
        if watch is not None:
            watch(loaded)
        seal_due(writer)
    writer.note_sources(dict.fromkeys(names), sets)
    if apart:
        writer.end_apart()
    else:
        writer.checkpoint()
    seal_due(writer)
    days.tidy_all(writer.database, writer.zone, datetime.now(UTC).replace(tzinfo=None))
    return loaded


def seal_due(writer: Writer) -> None:
    """Seal all that may be."""
    now = datetime.now(UTC).replace(tzinfo=None)
    part = next_slice(writer.database, now)
    if part is None:
        return
    writer.checkpoint()
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
