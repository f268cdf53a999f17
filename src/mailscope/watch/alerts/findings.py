"""The findings that may have news, as the store tells of them; which of them have changed since last time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl

from mailscope.store import alerts as kept
from mailscope.store.database import Database
from mailscope.watch.alerts.notice import Brief

# Figures that are no amounts: spans, shares, limits.
_NO_AMOUNTS = ("_s", "_percent", "_share", "share")


@dataclass
class Findings:
    """What is known of the findings that are not sealed; only what decides, not what they tell."""

    briefs: dict[str, Brief] = field(default_factory=dict)
    _seen: pl.DataFrame | None = None

    def look(self, database: Database) -> tuple[set[str], set[str]]:
        """Read how they are; the ids of those that changed, and of those that are there no more."""
        frame = kept.briefs(database)
        changed = frame
        if self._seen is not None:
            changed = frame.join(self._seen, on=frame.columns, how="anti", nulls_equal=True)
        self._seen = frame
        found = {brief.id: brief for brief in _briefs(changed)}
        self.briefs |= found
        gone = set(self.briefs) - set(frame["id"])
        for finding in gone:
            del self.briefs[finding]
        return set(found), gone

    def forget(self, finding: str) -> None:
        """One that does not change any more."""
        self.briefs.pop(finding, None)


def brief_of(row: dict[str, Any]) -> Brief:
    """What decides, of a row of ``findings``."""
    over: datetime | None = row["over_time"]
    last: datetime = row["last_time"]
    figures: dict[str, Any] = json.loads(row["figures"])
    return Brief(
        id=row["id"],
        detection=row["detection"],
        severity=row["severity"],
        episodes=row["episodes"],
        over=over is not None,
        newest=last if over is None else max(last, over),
        figures={
            name: value
            for name, value in figures.items()
            if isinstance(value, int | float) and not name.endswith(_NO_AMOUNTS)
        },
        closed=row["closed"],
    )


def _briefs(frame: pl.DataFrame) -> Iterator[Brief]:
    return map(brief_of, frame.iter_rows(named=True))
