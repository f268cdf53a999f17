"""``mailscope sql``: questions in SQL over the tables of the store."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
import polars as pl

from mailscope.cli.inputs import Inputs
from mailscope.vocabulary.errors import InputError, UsageError

FORMS: Final = ("table", "json", "csv", "parquet")
MOST_SHOWN: Final = 1_000


@click.command()
@click.argument("statement")
@click.option("--store", type=click.Path(path_type=Path), metavar="DIR", help="The store to ask.")
@click.option("--format", "form", type=click.Choice(FORMS), help="Otherwise by the end of -o, or a table.")
@click.option("-o", "output", type=click.Path(path_type=Path), metavar="FILE", help="Write to this file.")
def sql(statement: str, store: Path | None, form: str | None, output: Path | None) -> None:
    """Ask the store in SQL (DuckDB's); only SELECT.

    The tables are those of docs/store.md: events, messages, deliveries, findings ...  Times are UTC.

    \b
    mailscope sql "SELECT status, count(*) FROM deliveries GROUP BY status"
    """
    from mailscope.cli.output import writable, write
    from mailscope.cli.stores import entered

    writable(output)
    chosen = form or {".json": "json", ".csv": "csv", ".parquet": "parquet"}.get(
        output.suffix if output else "", "table"
    )
    if chosen == "parquet" and output is None:
        raise UsageError("Parquet is not for a terminal", "--format", "name a file with -o")
    asked = Inputs((), None, None, (), "UTC", None, store=store)
    door = asked.door
    if door is None:
        raise InputError("there is no store", "", "load logs with 'mailscope ingest FILES'")
    try:
        entered(door, statement)
        write(_written(door.sql(statement), chosen), output)
    finally:
        door.close()


def _written(answers: Iterator[pl.DataFrame], form: str) -> Iterator[bytes | str]:
    if form == "table":
        yield from _table(answers)
    elif form == "json":
        from mailscope.exports.escapes import json_safe

        for frame in answers:
            lines = pl.Series(frame.write_ndjson().splitlines(), dtype=pl.String)
            yield "".join(f"{line}\n" for line in json_safe(lines))
    elif form == "csv":
        yield from _csv(answers)
    else:
        yield _parquet(answers)


def _table(answers: Iterator[pl.DataFrame]) -> Iterator[str]:
    """Columns side by side; a wide cell is cut."""
    from mailscope.cli.terminal import fit, safe

    rows: list[list[str]] = []
    names: list[str] = []
    total = 0
    for frame in answers:
        names = frame.columns
        total += len(frame)
        room = MOST_SHOWN - len(rows)
        rows += [[_cell(value) for value in row] for row in frame.head(max(room, 0)).iter_rows()]
    widest = max(shutil.get_terminal_size((80, 24)).columns, 40)
    most = max(12, widest // max(len(names), 1) - 2) if len(names) * 20 > widest else widest
    widths = [
        min(most, max([len(name), *(len(row[column]) for row in rows)])) for column, name in enumerate(names)
    ]
    for row in [names, ["-" * width for width in widths], *rows]:
        cells = [fit(cell, width).ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield safe("  ".join(cells).rstrip()) + "\n"
    more = f", the first {len(rows):,} shown (see --format csv)" if total > len(rows) else ""
    yield f"({total:,} row{'' if total == 1 else 's'}{more})\n"


def _csv(answers: Iterator[pl.DataFrame]) -> Iterator[str]:
    """With cells that no spreadsheet takes for formulas."""
    from mailscope.exports.escapes import csv_safe

    for number, frame in enumerate(answers):
        texts = [csv_safe(column) for column in frame.iter_columns() if column.dtype == pl.String]
        yield frame.with_columns(texts).write_csv(include_header=not number)


def _parquet(answers: Iterator[pl.DataFrame]) -> bytes:
    out = io.BytesIO()
    pl.concat(list(answers)).write_parquet(out, compression="zstd")
    return out.getvalue()


def _cell(value: Any) -> str:
    return "" if value is None else str(value)
