"""What writing a sealed file needs to know of the place that it is written in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import duckdb


class Keeping(Protocol):
    """Where segments are written: a store, or a place beside it that they are moved from."""

    connection: duckdb.DuckDBPyConnection
    directory: Path

    def file(self, path: str) -> str:
        """A sealed file, as SQL names it."""

    def secret(self) -> bytes:
        """The store's secret, which indexes are keyed with."""
