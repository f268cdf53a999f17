"""The tables of the DuckDB file: made, and brought from one version to the next.

``hot``: rows of the documented tables that are not sealed.  ``own``: what the store keeps for itself: facts
about it, the manifest of sealed files, resume points, what is under way, tallies by the hour, days of them
that are sealed, and spellings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mailscope.vocabulary.tables import SQL_TYPES, TABLES, Table

if TYPE_CHECKING:
    import duckdb

VERSION: Final = 3
DAYS: Final = (
    'create table own.days (start timestamp, "end" timestamp, zone varchar, path varchar, nameless boolean, '
    "made timestamp)"
)
# What a cluster keeps (``cluster/``): the hosts that it follows, with what their messages under way would add
# to tallies; the files that it has read; deliveries whose message at another host is not known yet.
CLUSTER: Final = (
    "create table own.hosts (host varchar primary key, run bigint, data blob)",
    "create table own.host_hours (host varchar, hour timestamp, data blob)",
    "create table own.inputs (path varchar primary key, head varchar, size bigint, lines bigint, "
    "stored bigint, run bigint)",
    "create table own.claims (run bigint, data blob)",
)
# Rows that are not of the documented tables.
STATE_TABLE: Final = "own.state (name varchar primary key, batch bigint, data blob)"
OWN: Final = (
    "create table own.about (name varchar primary key, value varchar)",
    "create table own.manifest (path varchar primary key, name varchar, day date, row_count bigint, "
    "bytes bigint, first timestamp, last timestamp, checksum varchar, damage varchar)",
    "create table own.sources (source varchar primary key, resume varchar, set_id varchar, "
    "updated timestamp)",
    f"create table {STATE_TABLE}",
    "create table own.hours (hour timestamp, batch bigint, data blob)",
    DAYS,
    *CLUSTER,
    "create table own.spellings (lower varchar, spelling varchar, primary key (lower, spelling))",
)
# What changes the schema from one version to the next: version -> statements.
MIGRATIONS: Final[dict[int, tuple[str, ...]]] = {1: (DAYS,), 2: CLUSTER}


def create(connection: duckdb.DuckDBPyConnection) -> None:
    """Make all tables, empty."""
    run = connection.execute
    run("create schema own")
    run("create schema hot")
    for statement in OWN:
        run(statement)
    run("insert into own.about values ('version', ?)", [str(VERSION)])
    for table in TABLES.values():
        run(f"create table hot.{table.name} ({table.definition()})")


def migrated(connection: duckdb.DuckDBPyConnection, version: int) -> list[str]:
    """Bring the tables of an earlier version up to this one; gives what was changed, in words."""
    changes = []
    for step in range(version, VERSION):
        changes.append(f"from version {step} to {step + 1}")
        for statement in MIGRATIONS[step]:
            connection.execute(statement)
    if version != VERSION:
        connection.execute("insert or replace into own.about values ('version', ?)", [str(VERSION)])
    return changes + [change for table in TABLES.values() if (change := _completed(connection, table))]


def _completed(connection: duckdb.DuckDBPyConnection, table: Table) -> str:
    """Add columns that the vocabulary has gained since the store was made; gives what was changed."""
    rows = connection.execute(
        "select column_name from duckdb_columns() where schema_name = 'hot' and table_name = ?",
        [table.name],
    ).fetchall()
    have = {name for (name,) in rows}
    if not have:
        connection.execute(f"create table hot.{table.name} ({table.definition()})")
        return f"table {table.name} is new"
    new = [column for column in table.columns if column.name not in have]
    for column in new:
        kind = SQL_TYPES[column.kind]
        connection.execute(f'alter table hot.{table.name} add column "{column.name}" {kind}')
    return f"table {table.name} has new columns: {', '.join(column.name for column in new)}" if new else ""
