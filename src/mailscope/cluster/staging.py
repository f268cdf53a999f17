"""Where a task writes segments until the run is committed: beside the store, in a place of its own."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import polars as pl

from mailscope.cluster.rows import DAYLESS, SEGMENT
from mailscope.store.connecting import quoted
from mailscope.store.sealing import SLICE_ROWS, SUFFIX, Segment, write_segment
from mailscope.vocabulary.bundles import packed
from mailscope.vocabulary.tables import TABLES, Table

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
        self.run = run
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
            rows = rows.with_columns(pl.lit(self.run, pl.Int64).alias("batch"))
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

    def _write(self, place: tuple[str, object]) -> None:
        parts = self._rows.pop(place)
        name, day = place
        table = TABLES[name]
        rows = pl.concat(parts, how="diagonal")
        self._number += 1
        path = f"{name}/day={day}/part-{self._number:06}{SUFFIX}"
        self.connection.execute(f"create or replace temp table empty ({table.definition()})")
        self.connection.register("new_rows", rows)
        columns = ", ".join(f'"{column}"' for column in table.names)
        source = f"select {columns} from (select * from empty union all by name select * from new_rows)"
        order = ", ".join([table.time, *(["source", "line_number"] if name == "events" else [])])
        segment = write_segment(self, f"{source} order by {order}", table, path)
        self.connection.unregister("new_rows")
        self.results.append(told(segment, name, str(day), self.directory))


def told(segment: Segment, name: str, day: str, directory: Path) -> dict[str, object]:
    """A segment as a row of RESULTS."""
    return {
        "kind": SEGMENT, "name": name, "day": day, "path": str(directory / segment.path),
        "rows": segment.rows, "size": segment.size, "first": micros(segment.first),
        "last": micros(segment.last), "checksum": segment.checksum,
    }  # fmt: skip


def micros(instant: datetime | None) -> int | None:
    """Microseconds since 1970 of a naive instant in UTC."""
    return None if instant is None else int(pl.Series([instant], dtype=pl.Datetime("us")).dt.epoch("us")[0])


def instant(told: Any) -> datetime | None:
    """The instant of microseconds since 1970."""
    if told is None:
        return None
    value = pl.Series([told], dtype=pl.Int64).cast(pl.Datetime("us"))[0]
    assert isinstance(value, datetime)
    return value
