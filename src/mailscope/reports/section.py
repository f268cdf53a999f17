"""A section of the report, as data: which tallies' rows it shows, under which labels.

A section is a table.  Its labels tell rows apart; each of its numbers is a measure of one tally, summed
over the tally's rows that fall under the labels.  A number can therefore be opened: the keys of those
rows select the lines that were counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Final, Literal

import polars as pl

from mailscope.tallies.keys import column, domain_of
from mailscope.tallies.ledger import Ledger
from mailscope.tallies.registry import BY_NAME
from mailscope.tallies.tally import SLOT_S

Unit = Literal[
    "text", "word", "cause", "hour", "day", "clock", "weekday", "week",
    "count", "bytes", "seconds", "percent", "factor", "chance",
]  # fmt: skip
Kind = Literal["table", "heatmap"]
Page = Literal["mail", "logins"]
EVERYTHING: Final = pl.lit(True)


@dataclass(frozen=True, slots=True)
class Label:
    """What tells rows apart: a key of the tallies, or what ``of`` makes of their keys in a time zone.

    Labels of the unit ``word`` are words of ours, not of the log; ``words`` are those that may occur, told in
    the person's language.  Those of the unit ``cause`` are names of causes, told by their titles.
    """

    name: str
    title: str
    of: Callable[[str], pl.Expr] | None = None
    unit: Unit = "text"
    words: tuple[str, ...] = ()

    def expression(self, zone: str) -> pl.Expr:
        """The label as an expression over a tally's key columns."""
        return (pl.col(self.name) if self.of is None else self.of(zone)).alias(self.name)


@dataclass(frozen=True, slots=True)
class Number:
    """A measure of a tally, over those of its rows that ``only`` lets pass.

    ``hidden``: it can be opened, but has no column of its own, being the sum of others.
    """

    name: str
    title: str
    tally: str
    measure: str = "count"
    only: pl.Expr = EVERYTHING
    unit: Unit = "count"
    how: Literal["sum", "max"] = "sum"
    hidden: bool = False

    @property
    def opens(self) -> bool:
        """Whether as many lines (or messages) stand behind the number as it says."""
        return self.unit == "count" and self.how == "sum"

    def aggregate(self) -> pl.Expr:
        """The measure over several rows of the tally, those that do not pass left out."""
        values = pl.col(self.measure).filter(self.only)
        return (values.sum() if self.how == "sum" else values.max()).alias(self.name)


@dataclass(frozen=True)
class Section:
    """A table of the report.

    Rows are sorted by the numbers, the largest first, or by the labels (``ordered``).  ``limited``: only the
    first rows are shown, as many as the person wants.  ``problem``: its rows want attention.  ``history``:
    it counts all lines, also those before the day (week, month) that is reported.  ``kind``: how it is best
    shown; a heat map has two labels, the second one for the rows.  ``pages``: the reports
    that show it unasked.
    """

    name: str
    title: str
    meaning: str
    labels: tuple[Label, ...]
    numbers: tuple[Number, ...]
    ordered: bool = False
    limited: bool = True
    problem: bool = False
    history: bool = False
    kind: Kind = "table"
    pages: tuple[Page, ...] = ("mail",)

    def rows(self, ledger: Ledger, zone: str) -> pl.DataFrame:
        """All rows: a column for each label and number."""
        names = [label.name for label in self.labels]
        frames = [
            self._told(ledger, tally, zone)
            .group_by(names)
            .agg(number.aggregate() for number in self.numbers if number.tally == tally)
            for tally in dict.fromkeys(number.tally for number in self.numbers)
        ]
        joined = reduce(
            lambda one, two: one.join(two, on=names, how="full", nulls_equal=True, coalesce=True), frames
        )
        joined = joined.with_columns(pl.col(n.name).fill_null(0) for n in self.numbers if n.unit != "seconds")
        counts = [number.name for number in self.numbers if number.how == "sum"]
        joined = joined.filter(pl.any_horizontal(pl.col(name) != 0 for name in counts))
        joined = joined.select(*names, *(number.name for number in self.numbers))
        if self.ordered:
            return joined.sort(names)
        order = [*(number.name for number in self.numbers), *names]
        falling = [True] * len(self.numbers) + [False] * len(names)
        return joined.sort(order, descending=falling, nulls_last=True)

    def opened(self, ledger: Ledger, zone: str, number: Number, rows: pl.DataFrame) -> pl.DataFrame:
        """The keys of the tally's rows behind a number of some of this section's rows."""
        result = self._told(ledger, number.tally, zone).filter(number.only)
        names = [label.name for label in self.labels]
        result = result.join(rows.select(names), on=names, how="semi", nulls_equal=True)
        return result.select(column(name) for name in BY_NAME[number.tally].keys)

    def tally(self, number: Number, rows: pl.DataFrame) -> str:
        """The tally behind a number of some rows."""
        return number.tally

    @property
    def openable(self) -> dict[str, Number]:
        """The numbers that can be opened, by name; the first is meant where none is named."""
        return {number.name: number for number in self.numbers if number.opens}

    def _told(self, ledger: Ledger, tally: str, zone: str) -> pl.DataFrame:
        """The rows of a tally with the labels."""
        source = (ledger.history or ledger) if self.history else ledger
        return source.result(tally).with_columns(label.expression(zone) for label in self.labels)


def local(zone: str, slot: str = "slot") -> pl.Expr:
    """The start of slots as instants of a zone."""
    seconds = pl.col(slot) * SLOT_S
    return pl.from_epoch(seconds, "s").dt.replace_time_zone("UTC").dt.convert_time_zone(zone)


def hour(zone: str) -> pl.Expr:
    """The hour that a slot lies in."""
    return local(zone).dt.truncate("1h")


def hour_of_day(zone: str) -> pl.Expr:
    """The hour of the day that a slot lies in, such as 07:00."""
    return local(zone).dt.strftime("%H:00")


def weekday(zone: str) -> pl.Expr:
    """The weekday that a slot lies in, from 1 (Monday) to 7."""
    return local(zone).dt.weekday()


def week(zone: str) -> pl.Expr:
    """The week of ISO 8601 that a slot lies in, such as 2026-W48."""
    return local(zone).dt.strftime("%G-W%V")


def day(zone: str) -> pl.Expr:
    """The day that a slot lies in."""
    return local(zone).dt.date()


def domain(address: str) -> Callable[[str], pl.Expr]:
    """The domain of an address, as ``tallies/keys.py`` tells it."""
    return lambda zone: domain_of(address)
