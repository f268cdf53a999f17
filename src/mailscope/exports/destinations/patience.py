"""How long a server that does not answer, or asks to come back later, is tried again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from mailscope.vocabulary.errors import OutputError

FIRST_WAIT_S: Final = 0.5
LONGEST_WAIT_S: Final = 30.0


@dataclass
class Patience:
    """Waits between attempts at one piece of work, longer each time, and an end to them.

    In: how many seconds to go on trying; where (for the error); what counts the retries.  The waits double
    from half a second to half a minute, each cut at random by up to a half, so that many senders do not
    come back at once.
    """

    seconds: float
    where: str
    note: Callable[[], None]
    _tries: int = field(default=0, init=False)
    _began: float = field(default_factory=lambda: time.monotonic(), init=False)

    def progress(self) -> None:
        """Something was taken: the count begins again."""
        self._tries = 0
        self._began = time.monotonic()

    def wait(self, why: str, at_least: float = 0) -> None:
        """Wait before the next attempt.

        In: why it is needed; what the server asked for, in seconds.  Raises OutputError when it would take
        too long.
        """
        usual = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**self._tries) * random.uniform(0.5, 1)
        wait = max(usual, at_least)
        left = self._began + self.seconds - time.monotonic()
        if wait > left:
            tried = f"tried {self._tries + 1} times in {time.monotonic() - self._began:.0f} s"
            raise OutputError(
                f"{why} ({tried})", self.where, "see to it and run it again, or raise --retry-for"
            )
        self._tries += 1
        self.note()
        time.sleep(wait)


def retry_after(value: str | None) -> float:
    """Seconds that a Retry-After header (RFC 9110 section 10.2.3) asks for, as number or date; 0 for none."""
    if not value:
        return 0
    if value.strip().isdecimal():
        return float(value)
    try:
        wanted = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return 0
    return max(0, (wanted.replace(tzinfo=wanted.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
