"""Sealed lines as a search sees them: only files are opened whose index has what is sought.

What is looked at first are a line's ids, instant and process (``BASE``), which are small; the texts of those
lines that count are read at the end (``texts``).  A line is known by its file and its row there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any, Final, Self

import polars as pl

from mailscope.store import indexing
from mailscope.store.beside import PATH, ROW, Beside
from mailscope.store.database import Queries
from mailscope.store.index import DamagedIndexError, Index, Sought
from mailscope.store.meanwhile import side_by_side
from mailscope.store.names import NAMING, Condition, Name, Numbers, by_kind
from mailscope.store.refusals import StoreError
from mailscope.vocabulary.fields import Kind
from mailscope.vocabulary.tables import EVENTS

BASE: Final = ("time", "host", "pid", "event", "qp", *NAMING, "message_id", "trail_id")
TEXT: Final = ("source", "batch", "line_number", "raw")
DTYPES: Final[dict[Kind, type[pl.DataType] | pl.DataType]] = {
    "str": pl.String, "int": pl.Int64, "float": pl.Float64, "time": pl.Datetime("us")
}  # fmt: skip
KINDS: Final = {column.name: column.kind for column in EVENTS.columns}
# What ties lines together: a search asks for these again and again, and for others only at its beginning.
TIES: Final = (*NAMING, "message_id", "trail_id")
# So many lines that have any of them are held while a search lasts (some 100 bytes each).
HELD_LINES: Final = 1_000_000

# By kind.
Names = Mapping[str, Collection[str]]


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
        self._held: dict[str, pl.DataFrame] = {}
        self._holding = Lock()

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

    def bearing(self, files: Iterable[Sealed], names: Names) -> Iterator[pl.DataFrame]:
        """The lines of files that bear one of some names, which stand by column."""

        def read(asked: tuple[Sealed, Names]) -> pl.DataFrame:
            file, those = asked
            wanted = pl.any_horizontal(_among(column, values) for column, values in those.items())
            others = [column for column in those if column not in TIES]
            return self._tied_lines(file, others, wanted).filter(wanted).select(PATH, ROW, *BASE)

        return filter(len, side_by_side(read, self._having(files, names)))

    def having(self, files: Iterable[Sealed], names: Names | None) -> list[Sealed]:
        """The files that may have lines with one of some names, by kind (None: the index cannot tell)."""
        if names is None:
            return [file for file in files if self._whole(file)]
        return [file for file, _ in self._having(files, names)]

    def matching(
        self, files: Iterable[Sealed], condition: Condition, where: str, values: list[Any]
    ) -> pl.DataFrame | None:
        """The lines of files that fit a condition, and another one in SQL; None where no file has any."""
        fitting = self.having(files, condition.kinds)
        listed = ", ".join(self.database.file(file.path) for file in fitting)
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
        self, files: Iterable[Sealed], beside: Beside, columns: Sequence[str]
    ) -> Iterator[pl.DataFrame]:
        """Columns of the lines of files that meet the condition of those that stand beside others."""
        names = {beside.keys[0]: [str(number) for number in beside.numbers]}

        def read(asked: tuple[Sealed, Names]) -> pl.DataFrame:
            return self._read(asked[0], columns, beside.condition)

        return filter(len, side_by_side(read, self._having(files, names)))

    def texts(self, lines: Mapping[str, pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """TEXT and time of some lines (ROW and time of each), by file."""
        return side_by_side(lambda each: self._texts(*each), lines.items())

    def _texts(self, path: str, lines: pl.DataFrame) -> pl.DataFrame:
        file = next(file for file in self.files if file.path == path)
        # Parquet tells of the instants in each part, not of the rows; texts of other instants stay packed.
        time, instants = pl.col("time"), lines["time"].unique()
        then = time.is_in(instants.implode()) & time.is_between(instants.min(), instants.max())
        found = self._read(file, ("time", *TEXT), then | time.is_null() if instants.has_nulls() else then)
        return found.join(lines, on=ROW, how="semi").drop(PATH, ROW)

    def near(self, beside: Beside) -> list[Sealed]:
        """The files that have lines as near in time as those that stand beside others."""
        return list({file.path: file for span in beside.spans for file in self.within(*span)}.values())

    def _having(self, files: Iterable[Sealed], names: Names) -> Iterator[tuple[Sealed, Names]]:
        """Files that may have any of some names, with those that they may have."""
        numbered: list[tuple[int, Name]] = []
        if self._numbers is not None:
            for kind, those in names.items():
                numbered += zip(self._numbers.of(kind, those), ((kind, name) for name in those), strict=True)
        sought = Sought(number for number, _ in numbered)
        for file in files:
            there = self._among(file, sought)
            found = names if there is None else by_kind(numbered[at][1] for at in there)
            if found and self._whole(file):
                yield file, found

    def _among(self, file: Sealed, sought: Sought) -> list[int] | None:
        """The places, among numbers that are sought, of those that a file may have (None: of any)."""
        if self._secret is None:
            return None
        if file.path not in self._indexes:
            path = self.database.directory / file.path
            self._indexes[file.path] = indexing.opened(path, file.checksum, self._secret)
        index = self._indexes[file.path]
        try:
            return None if index is None else index.among(sought)
        except (OSError, DamagedIndexError):
            self._indexes[file.path] = None
            return None

    def _whole(self, file: Sealed) -> bool:
        """Whether a file is there: otherwise it is left out, of which others tell."""
        return self.database.size(file.path) == file.size

    def _tied_lines(self, file: Sealed, others: list[str], wanted: pl.Expr) -> pl.DataFrame:
        """BASE, and other columns where they are asked for, of lines that are wanted; there may be more.

        Those that have any of TIES are read with them and held: a search asks for them next.  What is held
        stays, as files are asked for in the same order again and again: the latest to come would be
        pushed out just before they are asked for.
        """
        with self._holding:
            held = self._held.get(file.path)
            full = sum(map(len, self._held.values())) >= HELD_LINES
        if held is not None and not others:
            return held
        if held is not None or full:
            return self._read(file, (*BASE, *others), wanted)
        tied = pl.any_horizontal(pl.col(name).is_not_null() for name in TIES)
        found = self._read(file, (*BASE, *others), tied | wanted)
        with self._holding:
            self._held[file.path] = found.drop(others)
        return found

    def _read(
        self,
        file: Sealed,
        columns: Collection[str],
        where: pl.Expr,
    ) -> pl.DataFrame:
        """PATH, ROW and columns of the rows that fit a condition.

        A file may be older than a column.  Raises StoreError.
        """
        path = self.database.directory / file.path
        try:
            scan = pl.scan_parquet(path, hive_partitioning=False, glob=False, row_index_name=ROW)
            if file.path not in self._there:
                self._there[file.path] = frozenset(scan.collect_schema())
            there = self._there[file.path]
            asked = {*columns, *where.meta.root_names()}
            lacking = [
                pl.lit(None, DTYPES[KINDS[name]]).alias(name) for name in sorted(asked) if name not in there
            ]
            rows = (scan.with_columns(lacking) if lacking else scan).filter(where)
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
