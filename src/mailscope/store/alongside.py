"""What looks at every batch as it is stored, and is kept in the batch's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Protocol

import polars as pl

from mailscope.recognise.events import Events
from mailscope.store.following import StoreTracker
from mailscope.trails.tracker import Outcome

# Its state, in ``own.state``.
ALONGSIDE: Final = "alongside"


class Alongside(Protocol):
    """It sees each batch once, as the store does.

    After a crash, it sees those again that its kept state has not seen.
    """

    def see(self, batch: list[Events], outcome: Outcome, tracker: StoreTracker, now: datetime | None) -> None:
        """Look at a batch.  ``now``: the host's clock (naive UTC); None while old batches are seen again.

        It must not raise because of what stands in a line: the line is stored whatever is thought of it.
        """

    def rows(self) -> Mapping[str, pl.DataFrame]:
        """Rows by table that came of it since it was asked last; they replace rows of the same ``id``."""

    def state(self) -> bytes:
        """What it remembers (``vocabulary/bundles.py``)."""

    def resume(self, state: bytes | None, rows: Mapping[str, pl.DataFrame]) -> None:
        """Remember what was kept (None: begin anew).  ``rows``: those of its tables that may still change."""
