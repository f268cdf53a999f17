"""Detections over logs that are there already, with the logs' own clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from mailscope.pipeline import Pipeline
from mailscope.store.following import StoreTracker
from mailscope.watch.finding import Finding
from mailscope.watch.seen import Seen, newest_of
from mailscope.watch.watcher import Watcher


def detect(pipeline: Pipeline, watcher: Watcher) -> Iterator[list[Finding]]:
    """The findings that each batch begins, changes or ends; the last ones are as the log ends."""
    tracker = StoreTracker(detail=True)
    newest: datetime | None = None
    for batch in pipeline.batches():
        outcome = tracker.feed(batch)
        # A chunk of one log may reach far beyond what is merged of all just now.
        latest = newest_of(batch)
        if latest is not None:
            newest = latest if newest is None else max(newest, latest)
        if newest is not None:
            yield watcher.see(Seen(batch, outcome, tracker.touched, newest))
        tracker.forget(outcome.messages)
