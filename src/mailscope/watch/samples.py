"""A few log lines of each key, kept until something is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import polars as pl

from mailscope.watch.finding import Line
from mailscope.watch.seen import Seen
from mailscope.watch.window import TIME

# Lines of a key, keys, and lines that one batch may add.
MOST_OF_KEY, MOST_KEYS, MOST_OF_BATCH = 5, 500, 500
SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "key": pl.String,
    "source": pl.String,
    "number": pl.Int64,
    "time": TIME,
    "raw": pl.String,
}


@dataclass
class Samples:
    """The newest lines by key; keys not heard of lately are let go."""

    held: dict[str, list[Line]] = field(default_factory=dict)

    def add(self, seen: Seen, rows: pl.DataFrame, key: str) -> None:
        """Keep the last lines of rows (``order``) by a column."""
        if not len(rows):
            return
        newest = rows.filter(pl.col(key).is_not_null()).group_by(key, maintain_order=True).tail(MOST_OF_KEY)
        newest = newest.tail(MOST_OF_BATCH)
        written = seen.written(newest["order"])
        for name, order in newest.select(key, "order").iter_rows():
            line = written.get(order)
            if line is not None:
                self.held[name] = [*self.held.pop(name, []), line][-MOST_OF_KEY:]
        for name in list(self.held)[:-MOST_KEYS]:
            del self.held[name]

    def lines(
        self, seen: Seen, rows: pl.DataFrame, by: str, key: str, since: datetime, until: datetime
    ) -> tuple[Line, ...]:
        """The lines of a key within some time: of the batch's rows, or else those that were kept."""
        mine = rows
        if len(rows):
            mine = rows.filter(pl.col(by) == key, pl.col("time").is_between(since, until))
        if len(mine):
            return seen.evidence(mine, MOST_OF_KEY)
        return tuple(line for line in self.held.get(key, ()) if since <= line.time <= until)

    def state(self, prefix: str = "samples") -> dict[str, pl.DataFrame]:
        """What is kept, by name."""
        rows = [
            (key, line.source, line.number, line.time, line.raw)
            for key, lines in self.held.items()
            for line in lines
        ]
        return {f"{prefix}.lines": pl.DataFrame(rows, schema=SCHEMA, orient="row")}

    def resume(self, state: Mapping[str, pl.DataFrame], prefix: str = "samples") -> None:
        """Go on with what was kept."""
        rows = state.get(f"{prefix}.lines")
        if rows is None or rows.schema != pl.Schema(SCHEMA):
            return
        for key, source, number, time, raw in rows.iter_rows():
            self.held.setdefault(key, []).append(Line(source, number, time, raw))
