"""What the daemon holds between the feeds and the store, and how it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mailscope.intake.live import Arrival, Feed
from mailscope.recognise.events import Events


@dataclass
class Status:
    """How the daemon is; ``problem``: what keeps it from storing, empty where nothing does."""

    started: datetime
    lines: int = 0
    batches: int = 0
    last_batch: datetime | None = None
    problem: str = ""


@dataclass
class InHand:
    """What is taken and not yet stored: the arrivals by feed, the lines of them, and those that are new."""

    taken: list[tuple[Feed, Sequence[Arrival]]]
    arrivals: list[Arrival]
    lines: list[Events]
    batch: list[Events] = field(default_factory=list)
    # Its lines are kept as they are, as understanding them failed.
    plain: bool = False

    @property
    def size(self) -> int:
        """Bytes that were taken."""
        return sum(len(arrival.data) for _, arrivals in self.taken for arrival in arrivals)

    @property
    def unrepeatable(self) -> bool:
        """Whether any of it cannot be read again."""
        return any(arrival.resume is None for arrival in self.arrivals)
