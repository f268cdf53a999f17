"""What is under way, as when the store was last written: the state that was kept, and the lines since."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from mailscope.recognise.engine import Engine
from mailscope.store import state, stored
from mailscope.store.alongside import ALONGSIDE, Alongside
from mailscope.store.database import Database
from mailscope.store.following import StoreTracker
from mailscope.tallies.hours import Hours
from mailscope.vocabulary.tables import EVENTS, FINDINGS, TABLES

STATE: Final = "tracker"
APART: Final = "apart"
# Which batches since the state was kept are of logs that are followed by themselves.
APART_BATCHES: Final = "apart batches"
# Where the state cannot be used (it is another version's), messages are followed anew from so far back.
FAR_BACK: Final = timedelta(days=8)
# For a state that does not fit in the usual memory.
AT_MOST_MB: Final = 2_000
# Tables whose rows come from what looks at the batches.
WATCHED: Final = (FINDINGS.name,)


@dataclass
class UnderWay:
    """The messages under way, the tallies that are not kept yet, and the number of the last batch.

    ``apart``: the tracker of logs that are being loaded and are older than what is under way; ``relived``:
    how many lines were followed once more.
    """

    tracker: StoreTracker = field(default_factory=lambda: StoreTracker(detail=True))
    apart: StoreTracker | None = None
    hours: Hours = field(default_factory=Hours)
    batch: int = 0
    relived: int = 0


def restore(
    database: Database, engine: Engine, zone: ZoneInfo, alongside: Alongside | None = None
) -> UnderWay:
    """Follow the lines that were stored after the state was kept, as when they came."""
    found = UnderWay(hours=Hours(zone))
    since, usable = 0, True
    beside: bytes | None = None
    for name, number, data in _kept(database):
        if name == ALONGSIDE:
            beside = bytes(data)
            continue
        tracker = state.from_bytes(bytes(data))
        usable &= tracker is not None
        since = max(since, int(number))
        if tracker is not None and name == STATE:
            found.tracker = tracker
        elif name == APART:
            found.apart = tracker
    if not usable:
        found.tracker, found.apart = StoreTracker(detail=True), None
    if alongside is not None:
        alongside.resume(beside, {name: _unsettled(database, name) for name in WATCHED})
    found.batch = int(database.about("batch") or 0)
    if usable:
        where, values = "batch > ?", (since,)
        relation = f"hot.{EVENTS.name}"
    else:
        last = database.value(f"select max(time) from hot.{EVENTS.name}")
        where, values = "time >= ?", (last - FAR_BACK,)
        relation = f"({database.relation(EVENTS, 'last >= ?', values)})"
    sets = dict(database.connection.execute("select source, set_id from own.sources").fetchall())
    columns = ", ".join(stored.COLUMNS)
    apart = set(json.loads(database.about(APART_BATCHES) or "[]"))
    numbers = database.connection.execute(
        f"select distinct batch from {relation} where {where} order by batch", values
    ).fetchall()
    for (number,) in numbers:
        rows = database.frame(
            f"select {columns} from {relation} where {where} and batch = ?", [*values, number]
        )
        found.relived += len(rows)
        for batch in stored.relived(rows, engine, sets):
            tracker = found.apart if found.apart is not None and number in apart else found.tracker
            outcome = tracker.feed(batch)
            if alongside is not None and number > since and number not in apart:
                alongside.see(batch, outcome, tracker, None)
            tracker.forget(outcome.messages)
            if usable or number > since:
                found.hours.add(batch, outcome)
    return found


def _kept(database: Database) -> list[tuple[str, int, bytes]]:
    """The rows of ``own.state``."""
    import duckdb

    run = database.connection.execute
    asked = "select name, batch, data from own.state"
    try:
        return run(asked).fetchall()
    except duckdb.OutOfMemoryException:
        # Versions up to 0.1 left deleted rows beside those in use, and DuckDB reads them with these.
        limit = run("select current_setting('memory_limit')").fetchall()[0][0]
        run(f"set memory_limit = '{AT_MOST_MB}MB'")
        try:
            return run(asked).fetchall()
        finally:
            run(f"set memory_limit = '{limit}'")


def _unsettled(database: Database, name: str) -> pl.DataFrame:
    """The rows of a table that may still change."""
    return database.frame(f"select * from hot.{name} where not {TABLES[name].settled}")
