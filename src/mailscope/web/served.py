"""What the API needs of whoever runs the store: the daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

import polars as pl

from mailscope.store.holding import Held
from mailscope.store.ingest import Loaded
from mailscope.store.reader import Reader
from mailscope.store.upkeep import Damage, Step


class HowItIs(Protocol):
    """Counts since the start, and what keeps lines from being stored."""

    @property
    def started(self) -> datetime:
        """When the daemon was started (naive UTC)."""

    @property
    def lines(self) -> int:
        """Lines stored since then."""

    @property
    def batches(self) -> int:
        """Batches stored since then."""

    @property
    def last_batch(self) -> datetime | None:
        """When the last one was."""

    @property
    def problem(self) -> str:
        """What keeps it from storing; empty where nothing does."""


class Load(Protocol):
    """Logs that a client loads."""

    def add(self, data: bytes) -> None:
        """Store what is new of a part (``store/parts.py``)."""

    def end(self) -> Loaded:
        """All parts have come; what it came to."""

    def drop(self) -> None:
        """No more comes."""


class Served(Protocol):
    """A running store."""

    @property
    def status(self) -> HowItIs:
        """How it is."""

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Held while the store is written."""

    @property
    def watchers(self) -> list[Callable[[pl.DataFrame], None]]:
        """Called with each batch's rows of ``events`` once they are stored."""

    def reader(self) -> Reader:
        """Answers from the store as it is."""

    def problems(self) -> Sequence[str]:
        """What goes wrong just now."""

    def waiting_bytes(self) -> int:
        """Of followed files and received messages, what is not taken yet."""

    def metrics(self, accept: str) -> tuple[bytes, str]:
        """Figures for Prometheus, as the Accept header asks, and their content type."""

    def audit(self, who: str, what: str, asked: str) -> None:
        """Enter who looks at whose data, before it is shown."""

    def add(self, table: str, rows: pl.DataFrame) -> None:
        """Store rows of a table that come from no line."""

    def load(self) -> Load:
        """Begin to load logs.  Raises StoreError while others are loaded."""

    def held(self, names: tuple[str, ...]) -> Held:
        """What names a person."""

    def erase(self, names: tuple[str, ...], who: str) -> dict[str, Any]:
        """Erase a person; gives the receipt."""

    def seal(self) -> Iterator[Step]:
        """Seal finished days; gives the files."""

    def compact(self) -> Iterator[Step]:
        """Make one file of the small ones of each day; gives the tables and days."""

    def verify(self, *, set_aside: bool) -> Sequence[Damage]:
        """Read all of the store; gives what is wrong, ``set_aside``: which is left out from now on."""

    def backup(self) -> Iterator[bytes]:
        """A copy of the store as it is at one moment, as a tar file."""

    def mark(self, when: datetime, author: str, title: str, details: str) -> None:
        """Put a note on the time line."""
