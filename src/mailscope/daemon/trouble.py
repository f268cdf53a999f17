"""Something that does not work for a while, as writing to a full disk: tried again, later and later.

A person is told once per reason, and once that it is over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

# After a failure, so long until the next try; then twice as long, up to the longest.
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 60.0
MOST_WORDS: Final = 300


@dataclass
class Trouble:
    """How one kind of work goes.

    ``what`` it is that fails, ``meanwhile``: what that means for now, ``over``: what is said once it works
    again; ``problem``: why it does not work just now, empty where it does.
    """

    what: str
    meanwhile: str
    over: str
    say: Callable[[str], None]
    problem: str = ""
    _wait_s: float = 0.0
    _again_at: float = 0.0

    def met(self, error: BaseException) -> None:
        """It has failed."""
        words = " ".join(str(error).split())[:MOST_WORDS] or type(error).__name__
        if words != self.problem:
            self.say(f"{self.what}: {words}; {self.meanwhile}")
        self.problem = words
        self._wait_s = min(self._wait_s * 2 or FIRST_WAIT_S, LONGEST_WAIT_S)
        self._again_at = time.monotonic() + self._wait_s

    def passed(self) -> None:
        """It has worked."""
        if self.problem:
            self.say(self.over)
        self.problem, self._wait_s, self._again_at = "", 0.0, 0.0

    @property
    def waiting(self) -> bool:
        """Whether it is too early for the next try."""
        return time.monotonic() < self._again_at


def storing(say: Callable[[str], None]) -> Trouble:
    """Of writing what has come."""
    return Trouble(
        "the store cannot be written",
        "lines wait where they are, the next try follows",
        "the store takes lines again; none was lost",
        say,
    )


def keeping(say: Callable[[str], None]) -> Trouble:
    """Of upkeep."""
    return Trouble(
        "the store cannot be kept in order",
        "nothing is lost by it, the next try follows",
        "the store is kept in order again",
        say,
    )
