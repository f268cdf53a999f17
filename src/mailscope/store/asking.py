"""What is asked of a store, wherever it is: in this process, or behind the daemon's socket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, Protocol

import polars as pl

from mailscope.store.receipts import Verdict

# The columns of answers with lines.
LINES: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "source": pl.String, "set_id": pl.String, "time": pl.Datetime("us"), "raw": pl.String
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """Which lines: of a span (naive UTC; None: open) and of some hosts (none: all).

    ``about`` narrows them to those that ``trace`` and ``about`` need to tell of something: what it is in
    words, and of which kinds it may be; ``limit``: how many messages are followed.
    """

    since: datetime | None = None
    until: datetime | None = None
    hosts: tuple[str, ...] = ()
    about: str | None = None
    kinds: tuple[str, ...] = ()
    limit: int = 100

    def record(self) -> dict[str, Any]:
        """As JSON holds it."""
        told = asdict(self)
        for name in ("since", "until"):
            told[name] = told[name].isoformat() if told[name] else None
        return told

    @classmethod
    def of(cls, told: dict[str, Any]) -> Asked:
        """From what JSON held.  Raises ValueError or TypeError for what is no question."""
        since, until = (
            datetime.fromisoformat(told[name]) if told.get(name) else None for name in ("since", "until")
        )
        return cls(
            since, until, tuple(told.get("hosts", ())), told.get("about"), tuple(told.get("kinds", ())),
            int(told.get("limit", 100)),
        )  # fmt: skip


class Door(Protocol):
    """A store that can be asked."""

    def lines(self, asked: Asked) -> Iterator[pl.DataFrame]:
        """Lines (``LINES``) in the order of each source."""

    def tallies(self, since: datetime | None, until: datetime | None, *, by_time: bool = False) -> bytes:
        """The tallies of the whole hours of a span, with what is under way, packed by ``tallies.kept``.

        ``by_time``: only those that tell days or hours apart.
        """

    def sql(self, statement: str) -> Iterator[pl.DataFrame]:
        """The rows of a reading statement."""

    def person(self, names: tuple[str, ...]) -> dict[str, pl.DataFrame]:
        """All that is held of a person with these names: rows by table (``person.py``)."""

    def verdict(self, receipt: dict[str, Any], names: tuple[str, ...]) -> Verdict:
        """Whether a receipt of an erasure is of this store, and about a person (none: anybody)."""

    def status(self) -> dict[str, Any]:
        """How the store is."""

    def close(self) -> None:
        """Let go of it."""
