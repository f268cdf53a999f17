"""What the daemon holds between the feeds and the store, and how it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from mailscope.intake.live import Arrival, Feed
from mailscope.recognise.engine import Engine
from mailscope.recognise.events import Events
from mailscope.recognise.library import Library
from mailscope.sequence.live import LiveSequence
from mailscope.vocabulary.instants import naive_now


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


def plainly(
    arrivals: Sequence[Arrival], error: Exception, zone: ZoneInfo, say: Callable[[str], None]
) -> list[Events]:
    """Lines that a mistake of ours cannot take apart, as lines that no pattern knows: none is lost.

    Otherwise one such line would end the daemon, and end it again as often as it is started.
    """
    sources = ", ".join(sorted({arrival.source for arrival in arrivals}))
    words = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    say(f"lines of {sources} are kept as they are, as taking them apart failed; report this: {words}")
    now = naive_now()
    return LiveSequence(Engine(Library(())), zone).batch(arrivals, now)
