"""Batches that another process has read and timed, on their way to the one that writes the store.

A part is the lines of a batch that count, or some of them, in order, as a store holds lines (``stored.py``
makes events of them again); and of each source what its lines do not tell: its set, how many lines were
blank, and how many another source held too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import polars as pl

from mailscope.intake.envelopes.header import quality_words
from mailscope.recognise.engine import Engine
from mailscope.recognise.events import Events
from mailscope.store.stored import COLUMNS, relived
from mailscope.vocabulary.bundles import bundled, unbundled
from mailscope.vocabulary.errors import UsageError

# So few that storing them takes a fraction of a second.
PART_LINES: Final = 3_000
LINES: Final = "lines"
SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "batch": pl.Int64, "time": pl.Datetime("us"), "time_quality": pl.String, "source": pl.String,
    "line_number": pl.Int64, "raw": pl.String,
}  # fmt: skip


def parts(batch: list[Events]) -> Iterator[bytes]:
    """A batch as parts, at least one."""
    about = {
        events.source: {"set": events.set_id, "blank": events.blank, "duplicate": events.duplicate}
        for events in batch
    }
    rows = pl.concat([_rows(events) for events in batch]) if batch else pl.DataFrame(schema=SCHEMA)
    if len(batch) > 1:
        rows = rows.sort("order", maintain_order=True)
    rows = rows.select(list(COLUMNS))
    for start in range(0, max(len(rows), 1), PART_LINES):
        told = about if not start else {name: {"set": each["set"]} for name, each in about.items()}
        yield bundled({LINES: rows.slice(start, PART_LINES)}, {"sources": told})


def _rows(events: Events) -> pl.DataFrame:
    length = len(events.raw)
    order = events.order if events.order is not None else pl.int_range(length, dtype=pl.UInt32, eager=True)
    rows = pl.select(
        order.cast(pl.UInt32).alias("order"),
        pl.lit(0, pl.Int64).alias("batch"),
        events.time.alias("time"),
        quality_words(events.quality).alias("time_quality"),
        pl.lit(events.source).alias("source"),
        events.number.cast(pl.Int64).alias("line_number"),
        events.raw.alias("raw"),
    )
    return rows if events.alive is None else rows.filter(events.alive)


class Part:
    """A part that has come.  Raises UsageError for bytes that are none."""

    def __init__(self, data: bytes) -> None:
        self.blank = self.duplicate = 0
        try:
            frames, about = unbundled(data)
            rows = frames[LINES]
            told: dict[str, dict[str, Any]] = dict(about["sources"])
            for each in told.values():
                self.blank += int(each.get("blank", 0))
                self.duplicate += int(each.get("duplicate", 0))
        except (pl.exceptions.PolarsError, KeyError, ValueError, TypeError, AttributeError) as error:
            advice = "send what 'mailscope ingest' sends"
            raise UsageError("it is no part of a batch", "the lines", advice) from error
        if dict(rows.schema) != SCHEMA or rows["source"].null_count() or rows["raw"].null_count():
            raise UsageError("its columns are others", "the lines", "use the same Mailscope as the daemon")
        self.rows = rows
        self.sets: dict[str, str | None] = {name: each.get("set") for name, each in told.items()}
        self._told = told

    def batch(self, engine: Engine) -> list[Events]:
        """Its lines as events; what was counted of a source goes with the first of them."""
        found = [events for pieces in relived(self.rows, engine, self.sets) for events in pieces]
        return [
            replace(
                events,
                blank=int(self._told.get(events.source, {}).get("blank", 0)),
                duplicate=int(self._told.get(events.source, {}).get("duplicate", 0)),
            )
            for events in found
        ]
