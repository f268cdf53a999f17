"""How often a message was tried, reckoned from qmgr(8)'s schedule, as Postfix keeps no count.

The first attempt is at once.  After each one the wait is as long as the message has been there, but not
shorter than minimal_backoff_time and not longer than maximal_backoff_time (qmgr_defer.c of Postfix 3.7).
Flushes by hand and the interval of queue runs (queue_run_delay) make the true number a little larger or
smaller.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final

from mailscope.queues.postfix.config import Config

_SPAN: Final = re.compile(r"([0-9]{1,9})([smhdw]?)")
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class Schedule:
    """The schedule of a Postfix: its two waits, in seconds."""

    def __init__(self, settings: Config) -> None:
        self._shortest = max(1, _seconds(settings.value("minimal_backoff_time", "300s"), 300))
        self._longest = max(self._shortest, _seconds(settings.value("maximal_backoff_time", "4000s"), 4000))
        # The ages at the attempts after the first, up to that from which on the wait is the longest.
        self._ages: list[float] = [0.0]
        while self._ages[-1] < self._longest:
            self._ages.append(self._ages[-1] + max(self._shortest, self._ages[-1]))

    def attempts(self, age_s: float) -> int:
        """How many attempts there were when the last one was made at this age of the message."""
        last = self._ages[-1]
        if age_s < last:
            return max(1, bisect_right(self._ages, age_s))
        return len(self._ages) + int((age_s - last) // self._longest)


def _seconds(text: str, default: int) -> int:
    found = _SPAN.fullmatch(text.strip().lower())
    return int(found[1]) * _SECONDS[found[2]] if found else default
