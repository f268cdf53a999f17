"""Sealed lines as a search sees them: only files are opened whose index has what is sought.

What is looked at first are a line's ids, instant and process (``BASE``), which are small; the texts of those
lines that count are read at the end (``texts``).  A line is known by its file and its row there.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

import polars as pl

from mailscope.store import indexing
from mailscope.store.database import Queries
from mailscope.store.index import DamagedIndexError
from mailscope.store.names import NAMING, Condition, Numbers
from mailscope.store.refusals import StoreError
from mailscope.store.sealing import GROUP_ROWS, SLICE_ROWS
from mailscope.vocabulary.fields import Kind
from mailscope.vocabulary.tables import EVENTS

BASE: Final = ("time", "host", "pid", "event", "qp", *NAMING, "message_id", "trail_id")
TEXT: Final = ("source", "batch", "line_number", "raw")
PATH: Final = "place"
ROW: Final = "row"
DTYPES: Final[dict[Kind, type[pl.DataType] | pl.DataType]] = {
    "str": pl.String, "int": pl.Int64, "float": pl.Float64, "time": pl.Datetime("us")
}  # fmt: skip
KINDS: Final = {column.name: column.kind for column in EVENTS.columns}
# Lines that were looked at last, of so many pieces of files, are likely to be looked at again.
KEPT_PIECES: Final = 2


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed file of ``events``, as the manifest tells of it."""

    path: str
    rows: int
    size: int
    first: datetime | None
    last: datetime | None
    checksum: str


class SealedLines:
    """The sealed lines of a store at one moment.  ``secret``: of its indexes (None: they are not asked)."""

    def __init__(self, database: Queries, files: Iterable[Sealed], secret: bytes | None) -> None:
        self.database = database
        self.files = list(files)
        self._secret = secret
        self._pieces: OrderedDict[tuple[str, int], pl.DataFrame] = OrderedDict()

    @classmethod
    def of(cls, database: Queries, *, indexed: bool = True) -> Self:
        """Those that the manifest names."""
        rows = database.connection.execute(
            "select path, row_count, bytes, first, last, checksum from own.manifest "
            "where name = ? and damage is null order by first, path",
            [EVENTS.name],
        ).fetchall()
        secret = database.about("secret") if indexed else None
        return cls(database, (Sealed(*row) for row in rows), bytes.fromhex(secret) if secret else None)

    def within(self, since: datetime | None, until: datetime | None) -> list[Sealed]:
        """The files that may have lines of a span."""
        return [
            file
            for file in self.files
            if (since is None or (file.last is not None and file.last >= since))
            and (until is None or (file.first is not None and file.first < until))
        ]

    def bearing(
        self, files: Iterable[Sealed], names: Mapping[str, Collection[str]]
    ) -> Iterator[pl.DataFrame]:
        """The lines of files that bear one of some names, which stand by column."""
        for file, columns in self._columns(files, names):
            sought = {column: names[column] for column in columns}
            wanted = pl.any_horizontal(_among(column, values) for column, values in sought.items())
            for piece in self._each(file, columns):
                found = piece.filter(wanted)
                if len(found):
                    yield found.select(PATH, ROW, *BASE)

    def fitting(self, files: Iterable[Sealed], condition: Condition) -> list[Sealed]:
        """The files that may have lines that fit a condition."""
        if condition.names is None:
            return [file for file in files if self._whole(file)]
        names: dict[str, list[str]] = {}
        for kind, name in condition.names:
            names.setdefault(kind, []).append(name)
        return [file for file, _ in self._columns(files, names)]

    def having(self, file: Sealed, names: Mapping[str, Iterable[str]] | None) -> bool:
        """Whether a file may have lines with one of some names, by kind (None: the index cannot tell)."""
        if names is None or self._secret is None:
            return self._whole(file)
        numbers = Numbers(self._secret)
        sought = {kind: numbers.of(kind, those) for kind, those in names.items()}
        return bool(self._kinds(file, sought)) and self._whole(file)

    def matching(
        self, files: Iterable[Sealed], condition: Condition, where: str, values: list[Any]
    ) -> pl.DataFrame | None:
        """The lines of files that fit a condition, and another one in SQL; None where no file has any."""
        listed = ", ".join(self.database.file(file.path) for file in self.fitting(files, condition))
        if not listed:
            return None
        # Files may be older than columns of the table.
        prefix = len(str(self.database.directory)) + 2
        empty = f"create temp table if not exists no_lines ({EVENTS.definition()})"
        self.database.connection.execute(empty)
        sealed = (
            f"select * exclude (filename, file_row_number), filename[{prefix}:] as {PATH}, "
            f"file_row_number as {ROW} from read_parquet([{listed}], union_by_name = true, "
            "hive_partitioning = false, filename = true, file_row_number = true)"
        )
        return self.database.frame(
            f"select {', '.join((PATH, ROW, *BASE))} "
            f"from (select * from no_lines union all by name {sealed}) "
            f"where ({condition.sql}){where}",
            [*condition.values, *values],
        )

    def beside(
        self, files: Iterable[Sealed], column: str, values: pl.Series, wanted: pl.Expr
    ) -> Iterator[pl.DataFrame]:
        """The lines of files with one of some values in a column that fit a condition."""
        names = {column: [str(value) for value in values.drop_nulls().unique()]}
        for file, _ in self._columns(files, names):
            for piece in self._each(file, ()):
                found = piece.filter(wanted, pl.col(column).is_in(values.drop_nulls().unique().implode()))
                if len(found):
                    yield found.select(PATH, ROW, *BASE)

    def texts(self, path: str, rows: list[int]) -> pl.DataFrame:
        """TEXT and time of some rows of a file, which are ascending."""
        file = next(file for file in self.files if file.path == path)
        parts = []
        for first, last in _ranges(rows):
            part = self._read(file, ("time", *TEXT), first, last - first + 1)
            mine = pl.Series([row - first for row in rows if first <= row <= last])
            parts.append(part[mine])
        return pl.concat(parts)

    def _columns(
        self, files: Iterable[Sealed], names: Mapping[str, Collection[str]]
    ) -> Iterator[tuple[Sealed, list[str]]]:
        """Files that may have any of some names, with the kinds of those that they may have."""
        numbers = Numbers(self._secret) if self._secret else None
        sought = {kind: numbers.of(kind, those) for kind, those in names.items()} if numbers else {}
        for file in files:
            found = self._kinds(file, sought) if sought else list(names)
            if found and self._whole(file):
                yield file, found

    def _kinds(self, file: Sealed, sought: Mapping[str, list[int]]) -> list[str]:
        assert self._secret is not None
        index = indexing.opened(self.database.directory / file.path, file.checksum, self._secret)
        if index is None:
            return list(sought)
        try:
            return [kind for kind, numbers in sought.items() if index.any(numbers)]
        except (OSError, DamagedIndexError):
            return list(sought)
        finally:
            index.close()

    def _whole(self, file: Sealed) -> bool:
        """Whether a file is there: otherwise it is left out, of which others tell."""
        return self.database.size(file.path) == file.size

    def _each(self, file: Sealed, more: Collection[str]) -> Iterator[pl.DataFrame]:
        """A file's lines, a bounded number at a time: PATH, ROW, BASE and more columns."""
        others = [name for name in more if name not in BASE]
        for offset in range(0, file.rows, SLICE_ROWS):
            piece = self._pieces.get((file.path, offset))
            if piece is None:
                columns = self._read(file, BASE, offset, SLICE_ROWS)
                row = pl.int_range(offset, offset + len(columns), eager=True).alias(ROW)
                piece = columns.with_columns(row, pl.lit(file.path).alias(PATH))
                self._pieces[file.path, offset] = piece
                if len(self._pieces) > KEPT_PIECES:
                    self._pieces.popitem(last=False)
            self._pieces.move_to_end((file.path, offset))
            yield piece.hstack(self._read(file, others, offset, SLICE_ROWS)) if others else piece

    def _read(self, file: Sealed, columns: Collection[str], offset: int, length: int) -> pl.DataFrame:
        """Columns of some rows; a file may be older than a column.  Raises StoreError."""
        path = self.database.directory / file.path
        try:
            scan = pl.scan_parquet(path, hive_partitioning=False, glob=False)
            there = scan.collect_schema()
            known = [pl.col(name) for name in columns if name in there]
            rows = scan.slice(offset, length).select(known).collect()
        except (pl.exceptions.PolarsError, OSError) as error:
            words = " ".join(str(error).split())[:300]
            raise StoreError(
                f"it cannot be read ({words})", str(path), "see 'mailscope store verify'"
            ) from error
        lacking = [pl.lit(None, DTYPES[KINDS[name]]).alias(name) for name in columns if name not in there]
        return rows.with_columns(lacking).select(columns) if lacking else rows


def _among(column: str, values: Collection[str]) -> pl.Expr:
    """Whether a column has one of some values, which are texts."""
    if KINDS[column] == "str":
        return pl.col(column).is_in(pl.Series(sorted(values), dtype=pl.String).implode())
    # Numbers of more digits are in no line.
    whole = sorted(int(value) for value in values if value.isascii() and value.isdigit() and len(value) < 19)
    return pl.col(column).is_in(pl.Series(whole, dtype=pl.Int64).implode())


def _ranges(rows: list[int]) -> Iterator[tuple[int, int]]:
    """First and last of rows that are near each other."""
    first = last = rows[0]
    for row in rows[1:]:
        if row - last > GROUP_ROWS:
            yield first, last
            first = row
        last = row
    yield first, last
