"""What the daemon looks at besides logs, each with the table that its rows belong to."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import polars as pl

from mailscope.daemon.changes.notes import ChangeNotes
from mailscope.daemon.changes.watched import Watched, named, watched
from mailscope.daemon.load import LoadSampler, SpaceSampler
from mailscope.daemon.queues import QueueSampler
from mailscope.intake.discovery.files import HostFiles
from mailscope.vocabulary.settings.settings import Settings
from mailscope.watch.dnsbl.rounds import Rounds
from mailscope.watch.waiting import Latest

# Where the store keeps what watched files held.
CHANGES = "changes"


class Sampler(Protocol):
    """Something that gives rows now and then; ``problems``: what keeps it from seeing all, in words."""

    problems: tuple[str, ...]

    def sample(self, now: datetime) -> pl.DataFrame | None:
        """Rows, if it is time for any and there are some; ``now`` is naive UTC."""


@dataclass(frozen=True)
class Sampled:
    """A sampler, its table, and what of it the store keeps beside the rows (a name and how it is asked)."""

    table: str
    sampler: Sampler
    state: tuple[str, Callable[[], str]] | None = None


def samplers(settings: Settings, known: str | None, rounds: Rounds, queue: Latest) -> list[Sampled]:
    """What the settings ask for; ``known``: what the store keeps as ``CHANGES``.

    ``rounds``: asks DNS blocklists, and gives its results to a detection, not rows.  ``queue``: is told what
    waits.
    """
    host = socket.gethostname().partition(".")[0] or "localhost"
    every = settings.load.interval_s
    found = [
        Sampled("host_load", LoadSampler(host, every)),
        Sampled("findings", rounds),
        Sampled("host_disks", SpaceSampler(host, [str(path) for path in settings.load.paths], every)),
    ]
    if settings.queues.enabled:
        places = [Path(path) for path in settings.queues.spools]
        looking = QueueSampler(host, places, settings.queues.interval_s, queue)
        found.append(Sampled("queue_snapshots", looking))
    changes = settings.changes
    if changes.enabled:
        patterns = tuple(str(path) for path in changes.files)

        def files() -> tuple[Watched, ...]:
            here = HostFiles(Path("/"))
            return (*(watched(here) if changes.discover else ()), *named(here, patterns))

        notes = ChangeNotes(host, files, changes.interval_s, changes.max_diff_kb << 10, known)
        found.append(Sampled("marks", notes, (CHANGES, notes.state)))
    return found
