"""The rows that alerts are decided from, and those that they leave: ``findings``, ``handled``, ``alerts``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import polars as pl

from mailscope.store.connecting import given, quoted
from mailscope.store.database import Database
from mailscope.vocabulary.tables import ALERTS

# What decides whether there are news of a finding.
BRIEF: Final = (
    "id", "detection", "severity", "episodes", "over_time", "last_time", "figures", "closed",
)  # fmt: skip
_SINCE: Final = "routes of alerts"


def print_of(database: Database) -> tuple[Any, ...]:
    """What changes when findings do, or what people did about them; costs much less than to read them."""
    columns = ", ".join(BRIEF)
    found = database.connection.execute(
        f"select (select (count(*), bit_xor(hash({columns}))) from hot.findings), "
        "(select (count(*), max(time)) from hot.handled)"
    ).fetchall()
    return found[0]


def briefs(database: Database) -> pl.DataFrame:
    """What may have news: the findings that are not sealed."""
    return database.frame(f"select {', '.join(BRIEF)} from hot.findings")


def findings(database: Database, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Whole rows of findings, those that are sealed too."""
    listed = ", ".join(map(quoted, ids))
    found = database.frame(f"select * from hot.findings where id in ({listed})").to_dicts()
    missing = set(ids) - {row["id"] for row in found}
    if missing:
        listed = ", ".join(map(quoted, sorted(missing)))
        found += database.frame(f"select * from findings where id in ({listed})").to_dicts()
    return found


def handled(database: Database, since: datetime | None) -> list[dict[str, Any]]:
    """What people did, in order; from an instant on, where that is not long ago."""
    columns = "select time, finding_id, action, muted_until from"
    if since is None:
        return database.frame(f"{columns} handled order by time").to_dicts()
    return database.frame(f"{columns} hot.handled where time >= ? order by time", [since]).to_dicts()


def notices(database: Database) -> list[dict[str, Any]]:
    """What was decided: all that is not settled, and what is told of findings that may have more news."""
    return database.frame(
        "select * from alerts where not closed or finding_id in (select id from hot.findings) "
        "order by time, id"
    ).to_dicts()


def put(database: Database, rows: Iterable[dict[str, Any]]) -> None:
    """Enter rows of ``alerts`` in place of those of the same id, in one transaction."""
    told = list(rows)
    if not told:
        return
    kinds = {"time": pl.Datetime("us"), "int": pl.Int64, "float": pl.Float64, "bool": pl.Boolean}
    schema = {column.name: kinds.get(column.kind, pl.String()) for column in ALERTS.columns}
    frame = pl.DataFrame(told, schema=schema, orient="row")  # type: ignore[arg-type]
    connection = database.connection
    with given(connection, frame), database.transaction():
        connection.execute(f"delete from hot.{ALERTS.name} where id in (select id from new_rows)")
        connection.execute(f"insert into hot.{ALERTS.name} by name select * from new_rows")


def since(database: Database) -> str | None:
    """What is kept of the routes that were there before (JSON)."""
    return database.about(_SINCE)


def note_since(database: Database, told: str) -> None:
    """Keep that."""
    with database.transaction():
        database.set_about(_SINCE, told)
