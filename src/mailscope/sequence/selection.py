"""Which lines a person asked for: from when to when, and of which hosts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from mailscope.recognise.events import Events


@dataclass(frozen=True)
class Selection:
    """``since`` (inclusive) and ``until`` (exclusive) are naive UTC; no hosts means all hosts."""

    since: datetime | None = None
    until: datetime | None = None
    hosts: Sequence[str] = ()

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self.since is None and self.until is None and not self.hosts

    def apply(self, events: Events) -> Events:
        """The same lines with the others taken out."""
        if self.everything or not len(events.raw):
            return events
        keep = pl.lit(True)
        time = pl.lit(events.time)
        if self.since is not None:
            keep &= (time >= self.since).fill_null(False)
        if self.until is not None:
            keep &= (time < self.until).fill_null(False)
        if self.hosts:
            names = [name.lower() for name in self.hosts]
            if isinstance(events.host, pl.Series):
                keep &= pl.lit(events.host).str.to_lowercase().is_in(names).fill_null(False)
            else:
                keep &= pl.lit((events.host or "").lower() in names)
        mask = pl.select(keep.alias("keep")).to_series()
        if len(mask) == 1 and len(events.raw) != 1:
            mask = mask.new_from_index(0, len(events.raw))
        return events if mask.all() else events.select(mask)
