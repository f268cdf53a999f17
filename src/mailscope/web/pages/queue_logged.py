"""What waits, as the log tells of it: for hosts whose queue cannot be read from here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import polars as pl

from mailscope.reports import figures
from mailscope.web.pages.grid import Column, Grid, of_rows
from mailscope.web.pages.messages import seen
from mailscope.web.pages.overview import WAITING
from mailscope.web.pages.rows import Where
from mailscope.web.pages.tile import Tile
from mailscope.web.pages.visit import Visit

# Upper ends of ages in minutes, as qshape(1) tells them.
AGES: Final = (5, 10, 20, 40, 80, 160, 320, 640, 1280)
MOST: Final = 100_000
# Nothing stays longer in a queue than its lifetime, a few days.
LONGEST: Final = timedelta(days=30)
USUAL_ROWS: Final = 50


def tables(visit: Visit) -> tuple[list[Tile], list[Grid]]:
    """Figures and tables of what waits."""
    waiting = _waiting(visit)
    tr = visit.tr
    ages = (pl.lit(visit.now) - pl.col("first_time")).dt.total_seconds()
    waiting = waiting.with_columns(ages.alias("age_s"))
    oldest = waiting["age_s"].max()
    tiles = [
        Tile(tr("messages waiting"), figures.count(waiting["trail_id"].n_unique())),
        Tile(tr("on hold"), figures.count(int(waiting["held"].fill_null(False).sum()))),
        Tile(tr("the oldest"), figures.seconds(oldest if isinstance(oldest, (int, float)) else None)),
    ]
    return tiles, [_shape(visit, waiting), _causes(visit, waiting), _messages(visit, waiting)]


def _waiting(visit: Visit) -> pl.DataFrame:
    """A row for each message and recipient that waits."""
    where = Where([*WAITING.conditions], [*WAITING.values])
    own = seen(visit, ("sender",))
    messages = visit.rows.recent(
        "messages", "trail_id, host, queue_id, first_time, last_time, sender, size_bytes, held", where, MOST
    )
    attempts = visit.rows.of_trails(
        "deliveries", messages["trail_id"].to_list(), visit.now - LONGEST, visit.now
    )
    latest = (
        attempts.sort("time")
        .group_by("trail_id", "recipient")
        .agg(pl.col("status", "cause", "reason", "relay_host", "time").last(), pl.len().alias("tries"))
        .filter(pl.col("status") == "deferred")
        .rename({"time": "last_try"})
    )
    found = messages.join(latest, on="trail_id", how="left").with_columns(
        pl.col("recipient").str.extract("@([^@]*)$", 1).str.to_lowercase().alias("domain")
    )
    if own:
        theirs = [domain.lower() for domain in visit.viewer.domains]
        sender = pl.col("sender").str.extract("@([^@]*)$", 1).str.to_lowercase()
        found = found.filter(pl.col("domain").is_in(theirs) | sender.is_in(theirs))
    return found


def _shape(visit: Visit, waiting: pl.DataFrame) -> Grid:
    """Counts by recipient domain and age, as qshape(1) lays them out."""
    tr = visit.tr
    minutes = pl.col("age_s") / 60
    bounds = [0, *AGES]
    names = [*(str(age) for age in AGES), f"{AGES[-1]}+"]
    counts = [
        (minutes.is_between(low, high, closed="left")).sum().alias(name)
        for low, high, name in zip(bounds, [*AGES, float("inf")], names, strict=True)
    ]
    grouped = (
        waiting.group_by("domain")
        .agg(pl.len().alias("total"), *counts)
        .sort("total", "domain", descending=[True, False])
    )
    return of_rows(
        visit,
        "shape",
        tr("By recipient domain and age (minutes)"),
        (
            Column("domain", tr("Domain")),
            Column("total", tr("All"), "count"),
            *(Column(name, f"< {name}" if "+" not in name else name, "count") for name in names),
        ),
        grouped.head(visit.top("shape", 20)).iter_rows(named=True),
        {
            "domain": lambda row: visit.link(f"/domains/{row['domain']}") if row["domain"] else None,
            "total": lambda row: (
                visit.link("/messages", domain=row["domain"], status="deferred") if row["domain"] else None
            ),
        },
        total=len(grouped),
        empty=tr("Nothing waits, as far as the log tells."),
    )


def _causes(visit: Visit, waiting: pl.DataFrame) -> Grid:
    tr = visit.tr
    grouped = (
        waiting.filter(pl.col("cause").is_not_null())
        .group_by("cause")
        .agg(pl.len().alias("recipients"), pl.col("age_s").max().alias("oldest"))
        .sort("recipients", "cause", descending=[True, False])
    )
    return of_rows(
        visit,
        "queue_causes",
        tr("Why it waits"),
        (
            Column("cause", tr("Cause"), "cause"),
            Column("recipients", tr("Recipients"), "count"),
            Column("oldest", tr("Oldest"), "seconds"),
        ),
        grouped.head(visit.top("queue_causes", 20)).iter_rows(named=True),
        {"cause": lambda row: f"/causes/{row['cause']}"},
        total=len(grouped),
        empty=tr("No attempt has failed for what waits."),
    )


def _messages(visit: Visit, waiting: pl.DataFrame) -> Grid:
    tr = visit.tr

    def trail(row: Any) -> str:
        return f"/messages/{row['trail_id']}"

    return of_rows(
        visit,
        "waiting",
        tr("Messages that wait, the oldest first"),
        (
            Column("first_time", tr("Since"), "time"),
            Column("age_s", tr("Age"), "seconds"),
            Column("queue_id", tr("Queue id")),
            Column("sender", tr("Sender"), "address"),
            Column("recipient", tr("Recipient"), "address"),
            Column("size_bytes", tr("Size"), "bytes"),
            Column("tries", tr("Tries"), "count"),
            Column("last_try", tr("Last try"), "time"),
            Column("cause", tr("Cause"), "cause"),
            Column("reason", tr("Reason")),
        ),
        waiting.sort("first_time").head(visit.top("waiting", USUAL_ROWS)).iter_rows(named=True),
        {
            "first_time": trail,
            "queue_id": trail,
            "cause": lambda row: f"/causes/{row['cause']}" if row["cause"] else None,
        },
        total=len(waiting),
        empty=tr("Nothing waits, as far as the log tells."),
    )
