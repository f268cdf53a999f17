"""Sealed days to the store of a cluster, where the settings name one: every hour, by a child.

The child is ``mailscope cluster ship``.  Shipping again changes nothing, and neither does one that was
killed, so nothing is noted of what was done.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from mailscope.daemon.errand import Child
from mailscope.vocabulary.settings.settings import Settings

EVERY: Final = timedelta(hours=1)
# The store is opened and what has waited is stored first.
SETTLED: Final = timedelta(minutes=1)
# A child that takes longer hangs.
LONGEST_RUN: Final = timedelta(hours=6)


@dataclass
class Shipping:
    """Ships each time that it is due when ``step`` is called.  ``problem``: why the last time failed."""

    command: Sequence[str]
    say: Callable[[str], None]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    settled: timedelta = SETTLED
    every: timedelta = EVERY
    problem: str = ""
    _child: Child | None = None
    _due: datetime | None = None

    def step(self, now: datetime) -> None:
        """Begin or end a child where it is time; ``now`` is naive UTC."""
        self._due = self._due or now + self.settled
        if self._child is not None:
            self._watch(self._child, now)
        elif now >= self._due:
            self._due = now + self.every
            try:
                self._child = Child.started(self.command, self.environment, now)
            except OSError as error:
                self._ended(f"it cannot be started ({error.strerror or error})")

    def _watch(self, child: Child, now: datetime) -> None:
        code = child.ended(now, LONGEST_RUN)
        if code is None:
            return
        self._child = None
        words = child.words()
        self._ended((words or f"exit code {code}") if code else "")

    def _ended(self, problem: str) -> None:
        """A child has ended; a person is told once per problem, and once that it is over."""
        words = f"the store was not shipped: {problem}" if problem else ""
        if words and words != self.problem:
            self.say(f"{words}; the next try follows within an hour")
        elif self.problem and not words:
            self.say("the store is shipped again")
        self.problem = words


def shipping(settings: Settings, store: Path, say: Callable[[str], None]) -> Shipping | None:
    """What the settings ask for; None where nothing is to be shipped."""
    if not settings.store.ship_to:
        return None
    begin = [sys.executable, "-m", "mailscope", "cluster", "ship"]
    return Shipping([*begin, f"--store={store.absolute()}", f"--output={settings.store.ship_to}"], say)
