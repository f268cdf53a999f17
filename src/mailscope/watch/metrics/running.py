"""Counters of a daemon: since it was started, and never less than before.

The writer keeps the tallies of lines since the store's state was last kept (``store/writer.py``), hands them
to the store and begins anew.  A counter is what has left so, and what is under way: no row is counted again,
and a scrape looks at frames that nobody changes.  What the store held of an unfinished stretch when the
daemon was started was counted by the one before it, and is taken off.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime

from mailscope.tallies.hours import Hours
from mailscope.tallies.ledger import Ledger
from mailscope.vocabulary.instants import naive_now
from mailscope.watch.metrics.counting import NAMES, counted
from mailscope.watch.metrics.families import Values
from mailscope.watch.metrics.labels import Labels

Frozen = Mapping[datetime, Ledger]


class Running:
    """Counts that only rise.

    ``begin``, ``leaving`` and ``stored`` are the writer's thread's; ``values`` may be asked by any.
    """

    def __init__(self) -> None:
        self._labels = Labels()
        self._lock = threading.Lock()
        # What ages are told from: the same for a stretch as long as it is under way.
        self._now = naive_now()
        self._left: Values = {}
        self._before: Values = {}
        # What a scrape sees: changed at once, when a batch is stored.
        self._shown: tuple[Values, Frozen, datetime] = ({}, {}, self._now)
        self._told: tuple[object, Values] | None = None

    def begin(self, hours: Hours) -> None:
        """The store was opened by a new daemon, and these tallies are of lines that are stored already."""
        with self._lock:
            self._before = counted(hours.ledgers, self._labels, self._now)
        self.stored(hours)

    def leaving(self, hours: Hours) -> None:
        """These tallies are the store's now, and others are begun."""
        with self._lock:
            self._left = added(self._left, counted(hours.ledgers, self._labels, self._now))
            self._now = naive_now()

    def stored(self, hours: Hours) -> None:
        """A batch was stored; ``hours``: the tallies under way."""
        frozen = {hour: ledger.as_now(NAMES) for hour, ledger in hours.ledgers.items()}
        self._shown = self._left, frozen, self._now

    def values(self) -> Values:
        """The counters as of the last batch."""
        with self._lock:
            shown = self._shown
            if self._told is None or self._told[0] is not shown:
                left, hours, now = shown
                fresh = added(added(left, counted(hours, self._labels, now)), self._before, -1)
                self._told = shown, risen(self._told[1] if self._told else {}, fresh)
            return self._told[1]


def added(one: Values, other: Values, sign: int = 1) -> Values:
    """The sums of two sets of numbers."""
    whole = {name: dict(numbers) for name, numbers in one.items()}
    for name, numbers in other.items():
        target = whole.setdefault(name, {})
        for place, number in numbers.items():
            target[place] = target.get(place, 0) + sign * number
    return whole


def risen(before: Values, now: Values) -> Values:
    """Numbers that are not less than before; what Prometheus saw fall it would take for a new beginning.

    They fall a little where the store was opened anew after a failure: blank lines are not in it.
    """
    whole = {name: dict(numbers) for name, numbers in before.items()}
    for name, numbers in now.items():
        target = whole.setdefault(name, {})
        for place, number in numbers.items():
            target[place] = max(target.get(place, 0), number)
    return whole
