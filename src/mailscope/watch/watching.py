"""The detections beside the store: what they see and find is kept in the transaction of each batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from mailscope.recognise.events import Events
from mailscope.store.following import StoreTracker
from mailscope.trails.tracker import Outcome
from mailscope.vocabulary.bundles import bundled, unbundled
from mailscope.vocabulary.tables import FINDINGS
from mailscope.watch.detection import About
from mailscope.watch.finding import Finding
from mailscope.watch.rows import from_row, to_rows
from mailscope.watch.seen import Seen, newest_of
from mailscope.watch.watcher import Watcher

# Lines older than this are read after a pause: then the clock is theirs, not the host's.
BEHIND: Final = timedelta(minutes=1)


class Watching:
    """An ``Alongside`` (``store/alongside.py``).

    ``make``: makes the detections as the settings want them; ``say``: tells a person, once, where one fails.
    ``changed``: the findings of the batch that was stored last, for those who tell of them.
    """

    def __init__(self, make: Callable[[], Watcher], say: Callable[[str], None]) -> None:
        self._make, self._say = make, say
        self._told: set[str] = set()
        self.watcher = make()
        self._changed: dict[str, Finding] = {}

    def see(self, batch: list[Events], outcome: Outcome, tracker: StoreTracker, now: datetime | None) -> None:
        """Look at a batch."""
        newest, clock = newest_of(batch), now
        if newest is not None and (now is None or newest < now - BEHIND):
            clock = newest
        if clock is None:
            return
        messages = tracker.touched if batch else tracker.touched.clear()
        for finding in self.watcher.see(Seen(batch, outcome, messages, clock), self._failed):
            self._changed[finding.id] = finding

    def about(self, name: str) -> About | None:
        """What is told of a detection at work, an admin's own too."""
        return next((each.about for each in self.watcher.detections if each.about.name == name), None)

    def _failed(self, name: str, error: Exception) -> None:
        """A detection that fails looks at nothing more, and the others go on."""
        if name not in self._told:
            self._told.add(name)
            words = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            self._say(
                f"the detection {name} failed and is switched off until the next start; report this: {words}"
            )

    def renew(self, make: Callable[[], Watcher]) -> None:
        """Go on with other settings, and with what was seen so far."""
        frames, about = self.watcher.kept()
        known = list(self.watcher.incidents.known.values())
        self._make, self.watcher = make, make()
        self._told.clear()
        self.watcher.resume(frames, about, known)

    def rows(self) -> Mapping[str, pl.DataFrame]:
        """The findings that changed since this was asked last."""
        changed, self._changed = self._changed, {}
        return {FINDINGS.name: to_rows(changed.values())} if changed else {}

    def state(self) -> bytes:
        """What the detections remember."""
        frames, about = self.watcher.kept()
        return bundled(frames, about)

    def resume(self, state: bytes | None, rows: Mapping[str, pl.DataFrame]) -> None:
        """Remember what was kept."""
        self.watcher, self._changed = self._make(), {}
        frames, about = unbundled(state) if state is not None else ({}, {})
        self.watcher.resume(
            frames, about, [from_row(row) for row in rows[FINDINGS.name].iter_rows(named=True)]
        )
