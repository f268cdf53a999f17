"""The door for Prometheus on TCP, as the settings want it from one reading to the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mailscope.vocabulary.settings.outward import LOOPBACK, Metrics
from mailscope.web.metrics import NOTHING, More, Page, Scraped, read_token

OPEN: Final = (
    "anyone who reaches it may read how much mail there is: give [metrics] a token_file, or 127.0.0.1"
)


@dataclass(frozen=True)
class _Next:
    """What is to be in force next; ``door``: a new one, None for none or for the one there is."""

    settings: Metrics
    token: str
    door: Scraped | None


class Scraping:
    """At most one door; ``page`` makes what it answers, ``more`` what else, ``say`` tells a person.

    ``prepare`` may fail, and nothing has changed then; ``take`` puts in force what was prepared.
    """

    def __init__(self, page: Page, say: Callable[[str], None], more: More = NOTHING) -> None:
        self._page, self._say, self._more = page, say, more
        self._door: Scraped | None = None
        self._settings: Metrics | None = None
        self._next: _Next | None = None

    def prepare(self, settings: Metrics) -> None:
        """Get all that is needed.  Raises InputError where the address or the token cannot be had."""
        self.drop()
        token = read_token(settings)
        wanted = settings.enabled and (self._door is None or self._place != _place(settings))
        door = Scraped(self._page, settings.address, settings.port, token, self._more) if wanted else None
        self._next = _Next(settings, token, door)

    def take(self) -> None:
        """Put in force what was prepared; connections stay where the address does."""
        found, before = self._next, self._settings
        if found is None:
            return
        settings = found.settings
        if self._door is not None and (found.door is not None or not settings.enabled):
            self._door.close()
            self._door = None
        self._door = found.door or self._door
        if self._door is not None:
            self._door.token = found.token
        self._settings, self._next = settings, None
        if settings.enabled and settings != before:
            self._say(f"figures for Prometheus on {settings.address} port {settings.port}")
            if settings.address not in LOOPBACK and not settings.token_file:
                self._say(OPEN)

    def drop(self) -> None:
        """Leave it as it is."""
        if self._next is not None and self._next.door is not None:
            self._next.door.close()
        self._next = None

    def close(self) -> None:
        """Answer no more."""
        self.drop()
        if self._door is not None:
            self._door.close()
        self._door = None

    @property
    def _place(self) -> tuple[str, int] | None:
        return None if self._settings is None else _place(self._settings)


def _place(settings: Metrics) -> tuple[str, int]:
    return settings.address, settings.port
