"""Sealed lines as a search sees them: only files are opened whose index has what is sought.

What is looked at first are a line's ids, instant and process (``BASE``), which are small; the texts of those
lines that count are read at the end (``texts``).  A line is known by its file and its row there.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any, Final, Self

import polars as pl

from mailscope.store import indexing
from mailscope.store.database import Queries
from mailscope.store.index import DamagedIndexError, Index
from mailscope.store.meanwhile import side_by_side
from mailscope.store.names import NAMING, Condition, Numbers
from mailscope.store.refusals import StoreError
from mailscope.store.sealing import GROUP_ROWS
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
# What ties lines together: a search asks for these again and again, and for others only at its beginning.
TIES: Final = (*NAMING, "message_id", "trail_id")
# So many lines that have any of them are held while a search lasts (some 100 bytes each).
HELD_LINES: Final = 1_000_000


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
        self._numbers = Numbers(secret) if secret else None
        self._indexes: dict[str, Index | None] = {}
        self._there: dict[str, frozenset[str]] = {}
        self._tied: OrderedDict[str, pl.DataFrame] = OrderedDict()
        self._tying = Lock()

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

        def read(asked: tuple[Sealed, list[str]]) -> pl.DataFrame:
            file, columns = asked
            wanted = pl.any_horizontal(_among(column, names[column]) for column in columns)
            others = [column for column in columns if column not in TIES]
            return self._read(file, BASE, wanted) if others else self._tied_lines(file).filter(wanted)

        return filter(len, side_by_side(read, self._columns(files, names)))

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
        if names is None or self._numbers is None:
            return self._whole(file)
        return bool(self._kinds(file, self._sought(names))) and self._whole(file)

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
        sought = values.drop_nulls().unique()
        names = {column: [str(value) for value in sought]}

        def read(asked: tuple[Sealed, list[str]]) -> pl.DataFrame:
            return self._read(asked[0], BASE, wanted & pl.col(column).is_in(sought.implode()))

        return filter(len, side_by_side(read, self._columns(files, names)))

    def texts(self, rows: Mapping[str, list[int]]) -> Iterator[pl.DataFrame]:
        """TEXT and time of some rows of files, which are ascending; by path."""
        return side_by_side(lambda each: self._texts(*each), rows.items())

    def _texts(self, path: str, rows: list[int]) -> pl.DataFrame:
        file = next(file for file in self.files if file.path == path)
        parts = []
        for first, last in _ranges(rows):
            part = self._read(file, ("time", *TEXT), part=(first, last - first + 1))
            mine = pl.Series([row - first for row in rows if first <= row <= last])
            parts.append(part[mine].drop(PATH, ROW))
        return pl.concat(parts)

    def _columns(
        self, files: Iterable[Sealed], names: Mapping[str, Collection[str]]
    ) -> Iterator[tuple[Sealed, list[str]]]:
        """Files that may have any of some names, with the kinds of those that they may have."""
        sought = self._sought(names)
        for file in files:
            found = self._kinds(file, sought) if sought else list(names)
            if found and self._whole(file):
                yield file, found

    def _sought(self, names: Mapping[str, Iterable[str]]) -> dict[str, list[int]]:
        """The numbers of names, by kind; none where the indexes are not asked."""
        numbers = self._numbers
        return {} if numbers is None else {kind: numbers.of(kind, those) for kind, those in names.items()}

    def _kinds(self, file: Sealed, sought: Mapping[str, list[int]]) -> list[str]:
        if file.path not in self._indexes:
            assert self._secret is not None
            path = self.database.directory / file.path
            self._indexes[file.path] = indexing.opened(path, file.checksum, self._secret)
        index = self._indexes[file.path]
        if index is None:
            return list(sought)
        try:
            return index.kinds(sought)
        except (OSError, DamagedIndexError):
            self._indexes[file.path] = None
            return list(sought)

    def _whole(self, file: Sealed) -> bool:
        """Whether a file is there: otherwise it is left out, of which others tell."""
        return self.database.size(file.path) == file.size

    def _tied_lines(self, file: Sealed) -> pl.DataFrame:
        """BASE of a file's lines that have any of TIES: what was asked for lately is still there."""
        with self._tying:
            found = self._tied.pop(file.path, None)
        if found is None:
            found = self._read(file, BASE, pl.any_horizontal(pl.col(name).is_not_null() for name in TIES))
        with self._tying:
            self._tied[file.path] = found
            while len(self._tied) > 1 and sum(map(len, self._tied.values())) > HELD_LINES:
                self._tied.popitem(last=False)
        return found

    def _read(
        self,
        file: Sealed,
        columns: Collection[str],
        where: pl.Expr | None = None,
        part: tuple[int, int] | None = None,
    ) -> pl.DataFrame:
        """PATH, ROW and columns of the rows that fit a condition, or of a part: a first row, and how many.

        A file may be older than a column.  Raises StoreError.
        """
        path = self.database.directory / file.path
        try:
            scan = pl.scan_parquet(path, hive_partitioning=False, glob=False, row_index_name=ROW)
            if file.path not in self._there:
                self._there[file.path] = frozenset(scan.collect_schema())
            there = self._there[file.path]
            asked = {*columns, *(where.meta.root_names() if where is not None else ())}
            lacking = [
                pl.lit(None, DTYPES[KINDS[name]]).alias(name) for name in sorted(asked) if name not in there
            ]
            rows = scan.slice(*part) if part else scan
            rows = rows.with_columns(lacking) if lacking else rows
            rows = rows if where is None else rows.filter(where)
            return rows.select(pl.lit(file.path).alias(PATH), pl.col(ROW).cast(pl.Int64), *columns).collect()
        except (pl.exceptions.PolarsError, OSError) as error:
            words = " ".join(str(error).split())[:300]
            raise StoreError(
                f"it cannot be read ({words})", str(path), "see 'mailscope store verify'"
            ) from error


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
