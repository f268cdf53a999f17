"""Why mail waits, one word for all servers' words for it: the causes that reports tell, of reasons in a
queue.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

import polars as pl

from mailscope.causes.catalogue import UNCLASSIFIED
from mailscope.causes.classify import classify, shaped
from mailscope.queues.entry import DEFERRED, QueueEntry

# Entries whose reasons are looked at together.
BATCH: Final = 2_000
# Reasons that are remembered; most of a queue's are the same few.
REMEMBERED: Final = 100_000


class Causes:
    """The causes of reasons, each looked up once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}

    def judged(self, entries: Iterable[QueueEntry]) -> Iterator[QueueEntry]:
        """The entries, with the cause of each recipient that has a reason."""
        entries = iter(entries)
        while batch := list(islice(entries, BATCH)):
            self._learn(batch)
            for entry in batch:
                for each in entry.recipients:
                    if each.reason:
                        each.cause = self._known[each.reason, each.dsn_status]
            yield from batch

    def _learn(self, batch: list[QueueEntry]) -> None:
        wanted = {
            (each.reason, each.dsn_status) for entry in batch for each in entry.recipients if each.reason
        }
        if len(self._known) > REMEMBERED:
            self._known.clear()
        new = sorted(wanted - self._known.keys())
        if not new:
            return
        # Polars takes no half characters; what they were is of no matter here.
        texts = [reason.encode("utf-8", "replace").decode() for reason, _ in new]
        frame = pl.DataFrame({"reason": texts, "dsn_status": [status for _, status in new]})
        frame = frame.select(
            shaped(pl.col("reason")), pl.lit(DEFERRED).alias("status"), pl.col("dsn_status").replace("", None)
        )
        causes = classify(frame)["cause"].fill_null(UNCLASSIFIED)
        self._known.update(zip(new, causes.to_list(), strict=True))
