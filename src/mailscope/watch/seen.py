"""One batch as detections look at it: events of some kinds, attempts and submissions with their message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Final

import polars as pl

from mailscope.recognise.events import CORE, Events, no_rows
from mailscope.trails.tracker import Outcome
from mailscope.vocabulary.columns import take
from mailscope.watch.finding import MOST_LINES, Line
from mailscope.watch.places import Arrival, Places

# What is known of a message when it is looked at by itself.
OF_MESSAGE: Final = ("sasl_user", "client_ip", "client_host", "origin", "program", "instance", "message_id")


@dataclass
class Seen:
    """A batch.

    ``messages``: those that the batch had lines of, as they are now (columns of ``trails/story.SCHEMA``).
    ``now``: the log's clock, naive UTC: of a log that is read its newest instant so far, in the daemon the
    host's.  It never goes back.  ``places``: who logged in from where, up to this batch and with it;
    ``arrivals``: logins of it from networks new for their user.
    """

    batch: list[Events]
    outcome: Outcome
    messages: pl.DataFrame
    now: datetime
    places: Places = field(default_factory=Places)
    arrivals: list[Arrival] = field(default_factory=list)
    _frames: dict[tuple[tuple[str, ...], tuple[str, ...]], pl.DataFrame] = field(default_factory=dict)
    _derived: dict[str, pl.DataFrame] = field(default_factory=dict)

    def derived(self, name: str, make: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        """What several detections make of the batch, made once."""
        if name not in self._derived:
            self._derived[name] = make()
        return self._derived[name]

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The kinds of event in it."""
        return frozenset(part.pattern.event for events in self.batch for part in events.parts)

    @cached_property
    def services(self) -> frozenset[str]:
        """The services whose programs wrote any of it."""
        tags = (events.recognised.tags["service"] for events in self.batch)
        return frozenset(name for each in tags for name in each.unique() if name is not None)

    @cached_property
    def read(self) -> int:
        """Lines that count, recognised or not."""
        return sum(events.read for events in self.batch)

    def events(self, kinds: Iterable[str], columns: Sequence[str]) -> pl.DataFrame:
        """Events of some kinds in order of time: their core columns (``recognise/events.CORE``), ``time``,
        ``order``, ``queue_id`` and ``columns`` (``text`` is the whole message); events without an instant are
        left out.
        """
        asked = tuple(sorted(kinds)), tuple(columns)
        if asked not in self._frames:
            wanted = self.kinds.intersection(asked[0])
            if not wanted:
                found = _nothing(asked[1])
            else:
                # An empty table has its columns in another order.
                tables = [_table(events, asked[0], asked[1]) for events in self.batch]
                filled = [table for table in tables if len(table)] or tables[:1]
                found = pl.concat(filled).filter(pl.col("time").is_not_null())
                found = found.sort("time", "order", maintain_order=True)
            self._frames[asked] = found
        return self._frames[asked]

    @cached_property
    def lines(self) -> pl.DataFrame:
        """Every line that counts: time, host, program, service, order, and whether a pattern ``knows`` it."""
        frames = []
        for events in self.batch:
            rows = pl.int_range(len(events.raw), dtype=pl.UInt32, eager=True)
            if events.alive is not None:
                rows = rows.filter(events.alive)
            frames.append(
                pl.DataFrame(
                    [
                        take(events.time, rows).alias("time"),
                        events.hosts(rows).alias("host"),
                        events.tagged("program", rows).alias("program"),
                        events.tagged("service", rows).alias("service"),
                        _order(events, rows),
                        (~rows.is_in(events.unrecognised.implode())).alias("known"),
                    ]
                )
            )
        if not frames:
            return pl.DataFrame()
        return pl.concat(frames).filter(pl.col("time").is_not_null()).sort("time", maintain_order=True)

    @cached_property
    def submissions(self) -> pl.DataFrame:
        """Messages whose sender and size became known, each once: ``time``, ``sender``, ``size_bytes``,
        ``recipient_count``, ``trail``, ``queue_id`` and ``OF_MESSAGE``.
        """
        found = self.outcome.sized
        if not len(found):
            return found
        return self._of_message(found.filter(pl.col("time").is_not_null()))

    def _of_message(self, rows: pl.DataFrame) -> pl.DataFrame:
        told = self.messages.select("trail", *OF_MESSAGE).unique("trail", keep="last")
        rows = rows.drop([name for name in OF_MESSAGE if name in rows.columns])
        return rows.join(told, on="trail", how="left", maintain_order="left").sort(
            "time", maintain_order=True
        )

    def evidence(self, rows: pl.DataFrame, most: int = MOST_LINES) -> tuple[Line, ...]:
        """The log lines of some rows (by their ``order`` in the batch), the first ones."""
        found = self.written(rows["order"].head(most))
        return tuple(found[order] for order in sorted(found))[:most]

    def written(self, orders: pl.Series) -> dict[int, Line]:
        """The log lines that have some ``order`` in the batch."""
        found: dict[int, Line] = {}
        for events in self.batch:
            order = _order(events, pl.int_range(len(events.raw), dtype=pl.UInt32, eager=True))
            for row in order.is_in(orders.implode()).arg_true():
                line = Line(events.source, int(events.number[row]), events.time[row], str(events.raw[row]))
                found[int(order[row])] = line
        return found


def newest_of(batch: Iterable[Events]) -> datetime | None:
    """The newest instant of the lines that count; None where none has one."""
    found = pl.Series([events.instants.max() for events in batch], dtype=pl.Datetime("us")).max()
    return found if isinstance(found, datetime) else None


def _table(events: Events, kinds: Sequence[str], columns: Sequence[str]) -> pl.DataFrame:
    found = events.table(kinds, [name for name in columns if name != "text"], core=CORE)
    if "text" in columns:
        found = found.with_columns(take(events.text, found["row"]).alias("text"))
    return found.drop("row")


def _nothing(columns: Sequence[str]) -> pl.DataFrame:
    """The table of a batch that has no such event."""
    found = no_rows(tuple(name for name in columns if name != "text"), CORE).drop("row")
    return found.with_columns(pl.lit(None, pl.String).alias("text")) if "text" in columns else found


def _order(events: Events, rows: pl.Series) -> pl.Series:
    order = rows if events.order is None else take(events.order, rows)
    return order.cast(pl.UInt32).alias("order")
