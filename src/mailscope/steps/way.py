"""What a way is: lanes (who takes part), acts (what one does, or hands to another), stays in queues.

Times are seconds: since 1970 UTC, since midnight, or since the beginning, as ``Way.clock`` says.  Texts are
``Phrase``; words of strangers in them are as they were read: whoever shows them makes them safe.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from mailscope.language.phrase import Phrase

# epoch: seconds since 1970 UTC; day: since midnight, of a clock whose zone is not told; span: since the
# beginning; none: only the order is known.
Clock = Literal["epoch", "day", "span", "none"]
# What the file is in when it is in none of the queues.
GONE: Final = "gone"


@dataclass(frozen=True)
class Lane:
    """Who takes part: a program, a remote host, a mailbox.  ``pid``: None where there is none or it is not
    known.
    """

    name: str
    pid: int | None = None

    def __str__(self) -> str:
        return f"{self.name}[{self.pid}]" if self.pid is not None else self.name


@dataclass
class Act:
    """One thing that was done.

    ``to``: whom it was done to, or handed to; None for what a program does by itself.  ``took_s``: how long
    it lasted.  ``queue``: where the file stands after it, where that changed (``GONE``: in no queue).
    ``sure``: False where no line says that it belongs to this message, but everything speaks for it.
    ``good``: False for what failed, None where there is nothing to fail.
    """

    time: float | None
    by: Lane
    to: Lane | None
    kind: str
    words: Phrase
    took_s: float | None = None
    queue: str | None = None
    queue_id: str | None = None
    sure: bool = True
    good: bool | None = None


@dataclass
class Stay:
    """The file in one queue; None: not seen (before the trace began, after it ended, or no clock)."""

    queue: str
    queue_id: str
    since: float | None
    until: float | None = None
    left: bool = False

    @property
    def seconds(self) -> float | None:
        """How long, where both ends were seen."""
        return None if self.since is None or self.until is None else self.until - self.since


@dataclass
class Process:
    """A process of the tree.  ``duty``: what such a program is for; ``since``, ``until``: as in ``Way``."""

    lane: Lane
    parent: int | None
    command: str
    duty: Phrase | None
    since: float | None
    until: float | None
    ended: str


@dataclass
class Way:
    """One message, with what became of it (its bounce, its forwarded copy) in ``queue_ids`` after it.

    ``origin``: host or file that it was read from.
    """

    queue_ids: list[str]
    origin: str
    clock: Clock
    acts: list[Act] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)
    notes: list[Phrase] = field(default_factory=list)

    @property
    def lanes(self) -> list[Lane]:
        """Who takes part, in the order in which they come in."""
        return list(dict.fromkeys(lane for act in self.acts for lane in (act.by, act.to) if lane))

    @property
    def began(self) -> float | None:
        """When the first act was."""
        return min((act.time for act in self.acts if act.time is not None), default=None)

    @property
    def ended(self) -> float | None:
        """When the last act was over."""
        return max((act.time + (act.took_s or 0) for act in self.acts if act.time is not None), default=None)

    def spans(self) -> list[tuple[Lane, float]]:
        """How long each took part: from its first act, or what was handed to it, to its last."""
        found: dict[Lane, tuple[float, float]] = {}
        for act in self.acts:
            for lane in (act.by, act.to):
                if lane is None or act.time is None:
                    continue
                ends = act.time + (act.took_s or 0)
                first, last = found.get(lane, (act.time, ends))
                found[lane] = min(first, act.time), max(last, ends)
        return [(lane, found[lane][1] - found[lane][0]) for lane in self.lanes if lane in found]
