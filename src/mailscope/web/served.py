"""What the API needs of whoever runs the store: the daemon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

import polars as pl

from mailscope.store.reader import Reader


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

    def metrics(self, accept: str) -> tuple[bytes, str]:
        """Figures for Prometheus, as the Accept header asks, and their content type."""

    def audit(self, who: str, what: str, asked: str) -> None:
        """Enter who looks at whose data, before it is shown."""

    def add(self, table: str, rows: pl.DataFrame) -> None:
        """Store rows of a table that come from no line."""

    def mark(self, when: datetime, author: str, title: str, details: str) -> None:
        """Put a note on the time line."""
