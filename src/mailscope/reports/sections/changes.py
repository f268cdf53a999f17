"""What changed against the same weekday before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from mailscope.reports.comparison import changes, series
from mailscope.reports.comparison.changes import Change, Found
from mailscope.reports.comparison.days import Days, compared
from mailscope.reports.comparison.series import Figure
from mailscope.reports.section import Label, Number, Section, Unit
from mailscope.tallies.keys import DAY, column
from mailscope.tallies.ledger import Ledger
from mailscope.tallies.registry import BY_NAME
from mailscope.vocabulary.errors import UsageError

SCHEMA: Final = {"of": pl.String, "name": pl.String, "measure": pl.String}


@dataclass(frozen=True)
class Changes(Section):
    """One row per figure that changed; ``find`` finds them, ``figures`` are those that it looks at."""

    find: Callable[[Ledger, Days], Found] = changes.counts
    figures: tuple[Figure, ...] = ()

    def found(self, ledger: Ledger, zone: str) -> Found:
        """The changes; none where there is too little to compare with."""
        # Problems and the comparison ask again.
        known = ledger.found.get(self.name)
        if isinstance(known, Found):
            return known
        days = compared(ledger, ZoneInfo(zone))
        found = self.find(ledger, days) if days is not None and days.enough else Found()
        ledger.found[self.name] = found
        return found

    def rows(self, ledger: Ledger, zone: str) -> pl.DataFrame:
        """All changes, the surest first."""
        return self.told(self.found(ledger, zone).changes)

    def told(self, found: Sequence[Change]) -> pl.DataFrame:
        """Changes as rows."""
        kind = pl.Float64 if self.numbers[0].unit == "seconds" else pl.Int64
        schema = SCHEMA | {"now": kind, "usual": kind, "factor": pl.Float64, "chance": pl.Float64}
        rows = [
            (each.figure.of, each.name, each.figure.measure, each.now, each.usual, each.factor, each.chance)
            for each in found
        ]
        frame = pl.DataFrame(rows, schema=schema | {"now": pl.Float64, "usual": pl.Float64}, orient="row")
        return frame if kind == pl.Float64 else frame.with_columns(pl.col("now", "usual").round().cast(kind))

    @property
    def openable(self) -> dict[str, Number]:
        """What is counted now."""
        return {number.name: number for number in self.numbers if number.name == "now"}

    def tally(self, number: Number, rows: pl.DataFrame) -> str:
        """The tally of the one figure that is asked for.  Raises UsageError where it is several."""
        tallies = {
            self._figure(of, measure).tally for of, measure in rows.select("of", "measure").iter_rows()
        }
        if len(tallies) != 1:
            raise UsageError(f"'{self.name}' holds figures of several kinds", "--evidence", "name one row")
        return tallies.pop()

    def opened(self, ledger: Ledger, zone: str, number: Number, rows: pl.DataFrame) -> pl.DataFrame:
        """The keys of the tally's rows behind the figures, on the day that was compared."""
        days = compared(ledger, ZoneInfo(zone))
        tally = BY_NAME[self.tally(number, rows)]
        keys = [column(name) for name in tally.keys]
        found = []
        for of, name, measure in rows.select("of", "name", "measure").iter_rows():
            told = self._figure(of, measure).told(ledger.history or ledger, zone)
            if name is not None:
                told = told.filter(pl.col("name") == name)
            if days is not None:
                told = told.filter(pl.col(DAY).is_in(days.span.days()))
            found.append(told.select(keys))
        return pl.concat(found)

    def _figure(self, of: str, measure: str) -> Figure:
        return next(figure for figure in self.figures if (figure.of, figure.measure) == (of, measure))


def _section(name: str, title: str, meaning: str, unit: Unit, figures: tuple[Figure, ...]) -> Changes:
    find = {"count": changes.counts, "bytes": changes.sizes, "seconds": changes.delays}[unit]
    return Changes(
        name,
        title,
        meaning,
        (
            Label("of", "Of", unit="word", words=series.WORDS),
            Label("name", "Name"),
            Label("measure", "What", unit="word", words=series.measures(figures)),
        ),
        (
            Number("now", "Now", figures[0].tally, unit=unit, how="max"),
            Number("usual", "Usual", figures[0].tally, unit=unit, how="max"),
            Number("factor", "Times", figures[0].tally, unit="factor", how="max"),
            Number("chance", "By chance", figures[0].tally, unit="chance", how="max"),
        ),
        history=True,
        find=find,
        figures=figures,
    )


METHOD: Final = (
    "Counts that are out of the ordinary, compared with the same weekdays before (weeks with weeks, months "
    "with months): usual is their median, by chance how probable such a figure is if nothing has changed, "
    "with regard to how many were looked at."
)
COUNTS: Final = _section("changes", "What changed", METHOD, "count", series.COUNTS)
SIZES: Final = _section(
    "changes_of_bytes",
    "What changed in bytes",
    "Bytes that are out of the ordinary, judged as the counts are.",
    "bytes",
    series.SIZES,
)
DELAYS: Final = _section(
    "changes_of_delays",
    "What changed in delays",
    "Delays of deliveries that are out of the ordinary, judged as the counts are.",
    "seconds",
    series.DELAYS,
)
