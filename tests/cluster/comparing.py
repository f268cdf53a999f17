"""Two stores held against each other, row for row and number for number."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

from mailscope.store.database import Database
from mailscope.vocabulary.tables import TABLES

# What tells a line or message from others; of transactions, each store has its own numbers.
FOLLOWED = ("events", "messages", "deliveries", "sessions", "links")
# A message that has ended is kept open for late lines for so long, by the clock of the log that is followed:
# one machine follows all hosts by one clock, a cluster each by its own.
LATE = timedelta(minutes=15)


def rows(store: Path, table: str) -> pl.DataFrame:
    """All rows of a table but for the numbers of transactions, in one order."""
    database = Database(store, read_only=True)
    try:
        names = [name for name in TABLES[table].names if name != "batch"]
        columns = ", ".join(f'"{name}"' for name in names)
        frame = database.frame(f"select {columns} from {table}")
    finally:
        database.close()
    lists = [name for name, kind in frame.schema.items() if kind == pl.List(pl.String)]
    return frame.with_columns(pl.col(name).list.join(",") for name in lists).sort(names, nulls_last=True)


def assert_same_rows(one: Path, cluster: Path) -> None:
    """Every table of what lines tell has the same rows."""
    of_mail = pl.col("time").filter(pl.col("queue_id").is_not_null())
    ends = rows(one, "events").group_by("host").agg(of_mail.max().alias("end"))
    for table in FOLLOWED:
        ours, theirs = rows(one, table), rows(cluster, table)
        if table == "messages":
            ours, theirs = (_but_for_late_ones(frame, ends) for frame in (ours, theirs))
        only = ours.join(theirs, on=ours.columns, how="anti", nulls_equal=True)
        assert not len(only), (table, only.head(3).to_dicts())
        assert ours.height == theirs.height, table
        assert ours.equals(theirs), table


def _but_for_late_ones(messages: pl.DataFrame, ends: pl.DataFrame) -> pl.DataFrame:
    late = pl.col("last_time") > pl.col("end") - LATE
    told = messages.join(ends, on="host", how="left", nulls_equal=True, maintain_order="left")
    told = told.with_columns(pl.when(~late).then("closed").alias("closed")).drop("end")
    return told.sort(told.columns, nulls_last=True)


def mailscope(*words: object) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [sys.executable, "-m", "mailscope", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def report(store: Path, *before: str) -> dict[str, Any]:
    """The whole report of a store, without what names the store."""
    done = mailscope(*before, "report", "--store", store, "--format", "json", "--tz", "UTC")
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    return _without_names(found)  # type: ignore[no-any-return]


def _without_names(told: Any) -> Any:
    if isinstance(told, dict):
        return {
            name: _without_names(each) for name, each in told.items() if name not in ("evidence", "sources")
        }
    return [_without_names(each) for each in told] if isinstance(told, list) else told


def one_machine(store: Path, *logs: object, secret_of: Path | None = None) -> Path:
    """The logs as `mailscope ingest` stores them; with the secret of another store, ids are hashed alike."""
    if secret_of is not None:
        other = Database(secret_of, read_only=True)
        secret = other.about("secret")
        other.close()
        made = Database(store)
        assert secret is not None
        with made.transaction():
            made.set_about("secret", secret)
        made.close()
    done = mailscope("ingest", "--store", store, "--tz", "UTC", *logs)
    assert done.returncode == 0, done.stderr
    return store
