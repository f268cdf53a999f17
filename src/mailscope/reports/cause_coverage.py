"""How much of what went wrong has a known cause, what told it, and what the rest looks like.

In: recognised chunks.  Out: counts by what told the cause, and the shapes of reasons without one, each with
a count and a sample.  Memory is bounded: past ``MOST_SHAPES`` the rarest are put together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from mailscope.causes.catalogue import UNCLASSIFIED
from mailscope.causes.events import DIRECTIONS, TOLD_FROM, judged
from mailscope.recognise.engine import DTYPES
from mailscope.recognise.events import Events
from mailscope.recognise.recognised import Part
from mailscope.recognise.replies import completed
from mailscope.reports.coverage import share
from mailscope.vocabulary.fields import BY_NAME

MOST_SHAPES: Final = 20_000
LONGEST_SAMPLE: Final = 2_000
COUNTS: Final = {"event": pl.String, "basis": pl.String, "count": pl.Int64}
SHAPES: Final = {
    "event": pl.String, "shape": pl.String, "count": pl.Int64, "sample": pl.String, "source": pl.String,
    "line_number": pl.Int64,
}  # fmt: skip


@dataclass
class CauseCoverage:
    """Counts of failed attempts and refusals by what told their cause; shapes of those without one."""

    counts: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=COUNTS))
    shapes: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SHAPES))

    def add(self, events: Events) -> None:
        """Count one chunk."""
        for part in events.parts:
            if part.pattern.event in DIRECTIONS and len(part.frame):
                self._add(part.pattern.event, events, part)

    def _add(self, event: str, events: Events, part: Part) -> None:
        constants = [
            pl.lit(value, dtype=DTYPES[BY_NAME[name].kind]).alias(name)
            for name, value in part.pattern.constants.items()
        ]
        frame = completed(event, part.frame.with_columns(constants))
        failed, told = judged(event, frame)
        told = told.with_columns(frame["row"].filter(failed), pl.lit(event).alias("event"))
        counts = told.group_by("event", "basis").agg(pl.len().cast(pl.Int64).alias("count"))
        self.counts = _added(self.counts, counts.select(*COUNTS), ["event", "basis"])
        unknown = told.filter(pl.col("cause") == UNCLASSIFIED)
        if not len(unknown):
            return
        shapes = unknown.group_by("event", "shape", maintain_order=True).agg(
            pl.len().cast(pl.Int64).alias("count"), pl.col("row").first()
        )
        shapes = shapes.with_columns(
            events.text.gather(shapes["row"]).str.slice(0, LONGEST_SAMPLE).alias("sample"),
            pl.lit(events.source).alias("source"),
            events.number.gather(shapes["row"]).cast(pl.Int64).alias("line_number"),
        )
        self.shapes = _added(self.shapes, shapes.select(*SHAPES), ["event", "shape"])
        if len(self.shapes) > MOST_SHAPES:
            self.shapes = _pooled(self.shapes)


def needed_fields() -> dict[str, frozenset[str]]:
    """By event, the fields that causes are told from."""
    return dict.fromkeys(DIRECTIONS, TOLD_FROM)


def summary(found: CauseCoverage, top: int) -> dict[str, Any]:
    """The counts as plain data; ``shapes`` has ``top`` rows at most.

    ``failures`` = ``classified`` + ``unclassified``; ``share`` is a percentage of the classified, null where
    nothing failed; ``told_by`` counts what told the cause, for attempts and refusals.
    """
    failures = int(found.counts["count"].sum())
    shapes = found.shapes.sort("count", descending=True, maintain_order=True)
    unclassified = int(shapes["count"].sum())
    told = found.counts.sort("event", "count", descending=[False, True])
    return {
        "failures": failures,
        "classified": failures - unclassified,
        "unclassified": unclassified,
        "share": share(failures - unclassified, failures),
        "told_by": told.to_dicts(),
        "shapes_found": len(shapes),
        "shapes": shapes.head(top).to_dicts(),
    }


def _added(known: pl.DataFrame, more: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    rest = [name for name in known.columns if name not in (*keys, "count")]
    return (
        pl.concat([known, more])
        .group_by(keys, maintain_order=True)
        .agg(pl.col("count").sum(), *(pl.col(name).first() for name in rest))
        .select(known.columns)
    )


def _pooled(shapes: pl.DataFrame) -> pl.DataFrame:
    """The most frequent half, and a row without a shape for the rest of each event."""
    ordered = shapes.sort("count", descending=True, maintain_order=True)
    rare = ordered.slice(MOST_SHAPES // 2).with_columns(pl.lit(None, pl.String).alias("shape"))
    return _added(ordered.head(MOST_SHAPES // 2), rare, ["event", "shape"])
