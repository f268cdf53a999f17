"""How long deliveries took, and where the time went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from mailscope.reports.section import Label, Number, Section
from mailscope.tallies.ledger import Ledger
from mailscope.tallies.tally import quantile

# Stage -> the tally that has its histogram.
STAGES: Final = {
    "total": "delay_s",
    "before_queue": "delay_before_queue_s",
    "in_queue": "delay_in_queue_s",
    "connect": "delay_connect_s",
    "transmit": "delay_transmit_s",
}
SLOWEST: Final = 0.95


@dataclass(frozen=True)
class Delays(Section):
    """One row per stage; its figures come from a histogram, whose buckets are 2 % wide."""

    def rows(self, ledger: Ledger, zone: str) -> pl.DataFrame:
        """A row for each stage that any delivery tells the time of."""
        rows = []
        for stage, tally in STAGES.items():
            histogram = ledger.result(tally)
            if len(histogram):
                slowest = histogram["max_s"].max()
                assert isinstance(slowest, float)
                middle, late = quantile(histogram, 0.5), quantile(histogram, SLOWEST)
                # The middle of a bucket may lie beyond the largest figure in it.
                figures = [min(figure, slowest) for figure in (middle, late) if figure is not None]
                rows.append((stage, int(histogram["count"].sum()), *figures, slowest))
        names = [self.labels[0].name, *(number.name for number in self.numbers)]
        kinds = (pl.String, pl.Int64, pl.Float64, pl.Float64, pl.Float64)
        return pl.DataFrame(rows, schema=dict(zip(names, kinds, strict=True)), orient="row")

    @property
    def openable(self) -> dict[str, Number]:
        """All figures but the median: the deliveries, the slowest twentieth of them, the slowest."""
        return {number.name: number for number in self.numbers if number.name != "median_s"}

    def tally(self, number: Number, rows: pl.DataFrame) -> str:
        """The tally of the one stage that is asked for."""
        return STAGES[rows["stage"][0]]

    def opened(self, ledger: Ledger, zone: str, number: Number, rows: pl.DataFrame) -> pl.DataFrame:
        """The histogram's buckets behind a number: all, the slowest twentieth, or the last."""
        histogram = ledger.result(self.tally(number, rows)).sort("bucket")
        if number.name == "max_s":
            histogram = histogram.tail(1)
        elif number.name == "p95_s":
            below = pl.col("count").cum_sum() < SLOWEST * pl.col("count").sum()
            histogram = histogram.filter(~below)
        return histogram.select("bucket")


SECTION: Final = Delays(
    "delays",
    "Delays of deliveries",
    "How long mail that was delivered took, in all and by stage: before the queue manager took it (retries "
    "count here), in the queue manager, to connect, to transmit.",
    (Label("stage", "Stage", unit="word", words=tuple(STAGES)),),
    (
        Number("deliveries", "Deliveries", "delay_s"),
        Number("median_s", "Median", "delay_s", unit="seconds"),
        Number("p95_s", "95 %", "delay_s", unit="seconds"),
        Number("max_s", "Slowest", "delay_s", "max_s", unit="seconds"),
    ),
    limited=False,
)
