"""One route at work: how much it may still say, how it fails, and what it says next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from mailscope.vocabulary.settings.alerting import Route
from mailscope.watch.alerts.courier import Courier
from mailscope.watch.alerts.notice import Notice
from mailscope.watch.alerts.wording import Wording

HOUR_S: Final = 3_600.0
FIRST_WAIT_S: Final = 15.0
LONGEST_WAIT_S: Final = 3_600.0


@dataclass(frozen=True)
class Next:
    """What a route says next, in one message; ``storm``: too much to be said one by one."""

    notices: Sequence[Notice]
    gathered: bool = False
    storm: bool = False


@dataclass
class Lane:
    """A route with its courier.

    ``left``: messages that it may send now, which grow again with time; ``failures``: in a row, with the
    last one's ``problem``; nothing is tried before ``again_at``.
    """

    route: Route
    wording: Wording
    courier: Courier
    failures: int = 0
    problem: str = ""
    again_at: datetime | None = None
    gave_up: str = ""
    left: float = field(init=False)
    _counted: datetime | None = None

    def __post_init__(self) -> None:
        self.left = float(self.route.max_messages)

    def next(self, waiting: Sequence[Notice], now: datetime) -> Next | None:
        """What is said next of what waits; None where nothing is, or may be."""
        self._count(now)
        if self.courier.busy or (self.again_at is not None and now < self.again_at) or self.left < 1:
            return None
        ready = [each for each in waiting if each.due_time <= now]
        # What was tried less often goes first, so that one message that is refused for ever holds up none.
        ready.sort(key=lambda each: (each.attempts, each.due_time, each.time, each.id))
        gathered = [each for each in ready if each.gathered]
        urgent = [each for each in ready if not each.gathered]
        if len(urgent) > int(self.left):
            return Next(urgent, storm=True)
        if urgent:
            return Next(urgent[:1])
        return Next(gathered, gathered=True) if gathered else None

    def passed(self) -> None:
        """A message was taken."""
        self.left -= 1
        self.failures, self.problem, self.again_at = 0, "", None

    def failed(self, why: str, now: datetime) -> None:
        """A message was not taken."""
        self.failures += 1
        self.problem = why
        self.again_at = now + wait(self.failures)

    def _count(self, now: datetime) -> None:
        if self._counted is not None:
            more = (now - self._counted).total_seconds() * self.route.max_messages / HOUR_S
            self.left = min(float(self.route.max_messages), self.left + max(0.0, more))
        self._counted = now


def wait(failures: int) -> timedelta:
    """How long to wait after so many failures in a row."""
    return timedelta(seconds=min(FIRST_WAIT_S * 2 ** min(failures - 1, 10), LONGEST_WAIT_S))
