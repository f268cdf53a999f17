"""Rounds of asking in the daemon: now and then, beside it, so that nothing else waits for the DNS."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from mailscope.vocabulary.settings.detections.dnsbl import DnsblListed as Settings
from mailscope.watch.dnsbl.asking import Result, examine
from mailscope.watch.dnsbl.lists import unknown, wanted
from mailscope.watch.dnsbl.ours import subjects

# A round comes up to so large a part of the interval later, so that not all hosts ask at once.
JITTER: Final = 0.1
Ask = Callable[[Settings], Sequence[Result]]


def ask(settings: Settings) -> Sequence[Result]:
    """Ask the lists of the settings for what is ours."""
    return examine(wanted(settings), subjects(settings), settings.timeout_s, settings.tries)


class Rounds:
    """A sampler without rows (``daemon/samplers.py``) that begins a round in a thread when it is time.

    ``results``: those of the last round; ``number``: how many there were.
    """

    def __init__(self, settings: Settings, ask: Ask = ask) -> None:
        self.settings = settings
        self.results: Sequence[Result] = ()
        self.number = 0
        self.problems: tuple[str, ...] = ()
        self._ask = ask
        self._next: datetime | None = None
        self._running: threading.Thread | None = None

    def sample(self, now: datetime) -> pl.DataFrame | None:
        """Begin a round if it is time; never any rows."""
        if self._next is None:
            self._next = now + timedelta(seconds=self.settings.delay_s)
        if now < self._next or not self.settings.enabled:
            return None
        if self._running is not None and self._running.is_alive():
            return None
        hours = self.settings.interval_h * (1 + random.random() * JITTER)
        self._next = now + timedelta(hours=hours)
        # Ends with the daemon, whatever it waits for.
        self._running = threading.Thread(target=self._round, name="dnsbl", daemon=True)
        self._running.start()
        return None

    def _round(self) -> None:
        try:
            results = self._ask(self.settings)
        except Exception as error:
            words = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            self.problems = (f"DNS blocklists could not be asked: {words}",)
            return
        silent = {each.blocklist.zone: each.why for each in results if each.state == "unknown"}
        told = (f"the blocklist {zone} tells nothing: {why}" for zone, why in silent.items())
        self.problems = (*unknown(self.settings), *told)
        self.results = results
        self.number += 1


def renewed(running: Rounds | None, settings: Settings) -> Rounds:
    """The rounds that the settings want: those that run, where nothing has changed."""
    return running if running is not None and running.settings == settings else Rounds(settings)
