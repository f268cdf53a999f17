"""Running detections over a log."""

from __future__ import annotations

from pathlib import Path

from running import EVERYTHING, pipeline, source

from mailscope.pipeline import Pipeline, restarting
from mailscope.vocabulary.settings.settings import Settings
from mailscope.watch.finding import Finding
from mailscope.watch.history import detect
from mailscope.watch.watcher import Watcher


def found_in(
    log: Path,
    *only: str,
    settings: Settings | None = None,
    chunk_bytes: int = EVERYTHING,
    kind: type[Watcher] = Watcher,
) -> list[Finding]:
    """What the named detections (none: all) find in a log, each finding as it is in the end."""

    def work(run: Pipeline) -> list[Finding]:
        found: dict[str, Finding] = {}
        for changed in detect(run, kind.of(settings or Settings(), only)):
            found.update({finding.id: finding for finding in changed})
        return list(found.values())

    needed = Watcher.of(settings or Settings(), only).needs()
    return restarting(pipeline([source(log)], chunk_bytes=chunk_bytes, needed=needed), work)
