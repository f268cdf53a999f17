"""Detections over logs that are there already, with the logs' own clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import polars as pl

from mailscope.pipeline import Pipeline
from mailscope.store.following import StoreTracker
from mailscope.watch.finding import Finding
from mailscope.watch.seen import Seen
from mailscope.watch.watcher import Watcher


def detect(pipeline: Pipeline, watcher: Watcher) -> Iterator[list[Finding]]:
    """The findings that each batch begins, changes or ends; the last ones are as the log ends."""
    tracker = StoreTracker(detail=True)
    newest: datetime | None = None
    for batch in pipeline.batches():
        outcome = tracker.feed(batch)
        # A chunk of one log may reach far beyond what is merged of all just now.
        times = [
            events.time if events.alive is None else events.time.filter(events.alive) for events in batch
        ]
        latest = pl.Series([each.max() for each in times], dtype=pl.Datetime("us")).max()
        if isinstance(latest, datetime):
            newest = latest if newest is None else max(newest, latest)
        if newest is not None:
            yield watcher.see(Seen(batch, outcome, tracker.touched, newest))
        tracker.forget(outcome.messages)
