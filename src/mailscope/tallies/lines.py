"""From the rows of a table back to the log lines that they were counted from."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from mailscope.recognise.events import Events
from mailscope.tallies.keys import WHERE, column, key
from mailscope.tallies.tally import Tally


def keyed(tally: Tally, frame: pl.DataFrame, zone: str = "UTC") -> pl.DataFrame:
    """The rows of a table that a tally counts, with its keys in the columns that the tally has them in."""
    if tally.where:
        frame = frame.filter(WHERE[tally.where])
    derived = [key(name, zone) for name in tally.keys if column(name) != name or name not in frame.columns]
    return frame.with_columns(derived) if derived else frame


def counted(tally: Tally, frame: pl.DataFrame, wanted: pl.DataFrame, zone: str = "UTC") -> pl.DataFrame:
    """The rows of a table that some rows of the tally were counted from.

    ``wanted`` has the tally's key columns; days are those of a time zone.
    """
    columns = [column(name) for name in tally.keys]
    return keyed(tally, frame, zone).join(
        wanted.select(columns).unique(), on=columns, how="semi", nulls_equal=True
    )


def raw_lines(batch: list[Events], order: pl.Series) -> pl.Series:
    """The lines of a batch that have the given ranks in it, in order."""
    found = []
    for events in batch:
        ranks = pl.DataFrame({"raw": events.raw}).with_columns(ranks_of(events)).filter(_alive(events))
        found.append(ranks.filter(pl.col("order").is_in(order.implode())))
    return pl.concat(found).sort("order")["raw"]


def ranks_of(events: Events) -> pl.Series:
    """The rank of each line of a piece within its batch."""
    if events.order is not None:
        return events.order.cast(pl.UInt32).alias("order")
    return pl.int_range(len(events.raw), dtype=pl.UInt32, eager=True).alias("order")


def alive_rows(events: Events) -> tuple[pl.Series, pl.Series]:
    """The lines of a piece that count: their rows, and their ranks within the batch."""
    order = ranks_of(events)
    rows = pl.int_range(len(order), dtype=pl.UInt32, eager=True)
    return (rows, order) if events.alive is None else (rows.filter(events.alive), order.filter(events.alive))


def lines_table(batch: list[Events]) -> pl.DataFrame:
    """The table of the tally ``lines``: every line that counts, with its program and whether it is known."""
    frames = []
    for events in batch:
        rows = pl.int_range(len(events.raw), dtype=pl.UInt32, eager=True)
        unknown = (
            pl.Series([True]).new_from_index(0, len(rows)).scatter(events.recognised.unrecognised, False)
        )
        frame = pl.DataFrame(
            [ranks_of(events), events.tagged("program", rows).alias("program"), unknown.alias("known")]
        )
        frames.append(frame.filter(_alive(events)))
    return pl.concat(frames)


def _alive(events: Events) -> pl.Expr:
    return pl.lit(True) if events.alive is None else pl.lit(events.alive)


def queue_rows(batch: list[Events]) -> pl.DataFrame:
    """Every line that names a queue id: ``order``, ``time``, ``host``, ``queue_id``."""
    columns = ["order", "time", "host", "queue_id"]
    return pl.concat([frame.select(columns) for frame in _queue_frames(batch)])


def _queue_frames(batch: list[Events]) -> Iterable[pl.DataFrame]:
    for events in batch:
        parts = [part.frame.select("row", "queue_id") for part in events.parts]
        frame = pl.concat(parts or [pl.DataFrame(schema={"row": pl.UInt32, "queue_id": pl.String})])
        frame = frame.filter(pl.col("queue_id").is_not_null())
        rows = frame["row"]
        yield frame.with_columns(
            ranks_of(events).gather(rows), events.time.gather(rows).alias("time"), events.hosts(rows)
        )
