"""Volume by week, and where figures are heading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from mailscope.reports.comparison import series
from mailscope.reports.comparison.trends import FIGURES, trends
from mailscope.reports.section import Label, Number, Section, week
from mailscope.reports.sections.volume import MEANING, NUMBERS
from mailscope.tallies.keys import column
from mailscope.tallies.ledger import Ledger
from mailscope.tallies.registry import BY_NAME
from mailscope.vocabulary.errors import UsageError

SCHEMA: Final = {
    "measure": pl.String, "total": pl.Int64, "days": pl.Int64, "per_week": pl.Float64, "chance": pl.Float64,
}  # fmt: skip


@dataclass(frozen=True)
class Trends(Section):
    """One row per figure of all mail."""

    def rows(self, ledger: Ledger, zone: str) -> pl.DataFrame:
        """All figures that are not nothing."""
        rows = [
            (trend.measure, trend.total, trend.days, trend.per_week, trend.chance)
            for trend in trends(ledger, ZoneInfo(zone))
        ]
        return pl.DataFrame(rows, schema=SCHEMA, orient="row")

    @property
    def openable(self) -> dict[str, Number]:
        """What was counted on all days together."""
        return {number.name: number for number in self.numbers if number.name == "total"}

    def tally(self, number: Number, rows: pl.DataFrame) -> str:
        """The tally of the one figure that is asked for.  Raises UsageError where it is several."""
        if len(rows) != 1:
            raise UsageError(
                "the section 'trends' holds several kinds of figures", "--evidence", "name one row"
            )
        return next(figure.tally for figure in FIGURES if figure.measure == rows["measure"][0])

    def opened(self, ledger: Ledger, zone: str, number: Number, rows: pl.DataFrame) -> pl.DataFrame:
        """The keys of the tally's rows behind a figure."""
        tally = self.tally(number, rows)
        figure = next(figure for figure in FIGURES if figure.measure == rows["measure"][0])
        told = figure.told(ledger.history or ledger, zone)
        return told.select(column(name) for name in BY_NAME[tally].keys)


BY_WEEK: Final = Section(
    "by_week",
    "By week",
    f"{MEANING}  Weeks are those of ISO 8601.",
    (Label("week", "Week", week, "week"),),
    NUMBERS,
    ordered=True,
    limited=False,
    history=True,
)
TRENDS: Final = Trends(
    "trends",
    "Trends",
    "Where figures are heading, in per cent a week: the median of the slopes of each weekday, over all whole "
    "days of the log.  None is given for less than 28 days, or where chance alone may have made it.",
    (Label("measure", "What", unit="word", words=series.measures(FIGURES)),),
    (
        Number("total", "Total", "received"),
        Number("days", "Days", "received", how="max"),
        Number("per_week", "A week", "received", unit="percent", how="max"),
        Number("chance", "By chance", "received", unit="chance", how="max"),
    ),
    limited=False,
    history=True,
)
