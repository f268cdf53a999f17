"""Where a task writes segments until the run is committed: beside the store, in a place of its own."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import polars as pl

from mailscope.cluster.rows import DAYLESS, SEGMENT
from mailscope.store.connecting import given, quoted
from mailscope.store.sealing import SLICE_ROWS, SUFFIX, Segment, write_segment
from mailscope.vocabulary import instants
from mailscope.vocabulary.bundles import packed
from mailscope.vocabulary.tables import EVENTS, TABLES, Table

# DuckDB's, beside what Polars has.
MEMORY_MB: Final = 256


class Staging:
    """Collects the rows of tables by day and writes them as segments, as large as one machine writes them.

    An attempt of a task has a directory of its own, so that one that is done again, or twice at once,
    disturbs nobody; what no result names is removed with the run.
    """

    def __init__(self, directory: Path, secret: bytes, run: int) -> None:
        import duckdb

        self.directory = directory / uuid4().hex
        self.directory.mkdir(mode=0o750, parents=True)
        self.connection = duckdb.connect(":memory:")
        self.connection.execute(f"set memory_limit = '{MEMORY_MB}MB'")
        self.connection.execute("set threads = 1")
        self.connection.execute("set timezone = 'UTC'")
        self._run = run
        self.results: list[dict[str, object]] = []
        self._secret = secret
        self._rows: defaultdict[tuple[str, object], list[pl.DataFrame]] = defaultdict(list)
        self._number = 0

    def secret(self) -> bytes:
        """The store's secret."""
        return self._secret

    def file(self, path: str) -> str:
        """A file, as SQL names it."""
        return quoted(str(self.directory / path))

    def add(self, table: Table, rows: pl.DataFrame) -> None:
        """Rows of a table; those that belong to no day are given back as they are."""
        if not len(rows):
            return
        if "batch" in table.names:
            rows = rows.with_columns(pl.lit(self._run, pl.Int64).alias("batch"))
        parts = rows.with_columns(pl.col(table.time).dt.date().alias("_day")).partition_by(
            "_day", as_dict=True
        )
        for (day,), part in parts.items():
            if day is None:
                data = packed(part.drop("_day"))
                self.results.append({"kind": DAYLESS, "name": table.name, "rows": len(part), "data": data})
                continue
            place = table.name, day
            self._rows[place].append(part.drop("_day"))
            if sum(map(len, self._rows[place])) >= SLICE_ROWS:
                self._write(place)

    def close(self) -> list[dict[str, object]]:
        """Write what is left; gives what was written, as rows of RESULTS."""
        for place in sorted(self._rows, key=str):
            self._write(place)
        self.connection.close()
        return self.results

    def write(self, table: Table, day: str, rows: str, *, sort: bool = False) -> None:
        """Write the rows of a query, which may lack columns of the table, as one segment."""
        self._number += 1
        self.connection.execute(f"create or replace table empty ({table.definition()})")
        columns = ", ".join(f'"{column}"' for column in table.names)
        whole = f"select {columns} from (select * from empty union all by name {rows})"
        place = f"{table.name}/day={day}/part-{self._number:06}{SUFFIX}"
        segment = write_segment(self, whole, table, place, sort=sort)
        self.results.append(told(segment, table.name, day, self.directory))

    def _write(self, place: tuple[str, object]) -> None:
        table = TABLES[place[0]]
        order = [table.time, *(["source", "line_number"] if table is EVENTS else [])]
        rows = pl.concat(self._rows.pop(place), how="diagonal").sort(order)
        with given(self.connection, rows):
            self.write(table, str(place[1]), "select * from new_rows")


def told(segment: Segment, name: str, day: str, directory: Path) -> dict[str, object]:
    """A segment as a row of RESULTS."""
    return {
        "kind": SEGMENT, "name": name, "day": day, "path": str(directory / segment.path),
        "rows": segment.rows, "size": segment.size, "first": micros(segment.first),
        "last": micros(segment.last), "checksum": segment.checksum,
    }  # fmt: skip


def micros(instant: datetime | None) -> int | None:
    """An instant as results have it."""
    return None if instant is None else instants.micros(instant)


def instant(told: Any) -> datetime | None:
    """The instant that results tell."""
    return None if told is None else instants.of_micros(told)
