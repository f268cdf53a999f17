"""What is out of the ordinary: each figure of the compared day held against the same weekdays before.

A change is reported if all of these hold: it would hardly come by chance (``statistics.py``), with regard to
how many figures were looked at; it is large enough to matter; and the figure lies outside of what the
same weekdays showed.  Not known here are holidays: after one, the report will say what everybody knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import inf, log
from statistics import median
from typing import Final

from mailscope.reports.comparison import series, statistics
from mailscope.reports.comparison.days import FEWEST as FEWEST_PEERS
from mailscope.reports.comparison.days import Days
from mailscope.reports.comparison.series import Figure
from mailscope.tallies.ledger import Ledger
from mailscope.vocabulary.calendar import Span

# Of all that is reported, this share may be false alarms (Benjamini and Hochberg), and this share of the days
# on which nothing has changed, if noise is as the test takes it to be; docs/report.md has what was measured.
FALSE: Final = 0.05
# What is smaller concerns nobody, be it ever so certain.
FACTOR: Final = 1.5
FEWEST: Final = 20
FEWEST_BYTES: Final = 10 << 20
LEAST_DELAY_S: Final = 1.0
# A quantile of fewer deliveries says little.
DELIVERIES: Final = 50


@dataclass(frozen=True)
class Change:
    """A figure that changed: of what, which one, how much it is and usually is, and how surely it changed.

    ``chance``: the probability of such a figure if nothing had changed, with regard to how many were looked
    at.
    """

    figure: Figure
    name: str | None
    now: float
    usual: float
    chance: float

    @property
    def factor(self) -> float | None:
        """How many times the usual figure; None if that is nothing."""
        return self.now / self.usual if self.usual else None

    @property
    def bad(self) -> bool:
        """Whether this is bad news."""
        more = self.now > self.usual
        return self.figure.worse != "either" and (self.figure.worse == "more") == more


@dataclass(frozen=True)
class Row:
    """A figure to be looked at: now, on the days compared with, its own noise, and how that is known."""

    figure: Figure
    name: str | None
    now: float
    before: Sequence[float]
    noise: float
    factors: int

    @property
    def usual(self) -> float:
        """The median of the days before."""
        return float(median(self.before))

    @property
    def beyond(self) -> bool:
        """Whether it lies outside of all the days before, and far enough."""
        return outside(self.now, self.before) and not (
            1 / FACTOR < (self.now + statistics.HALF) / (self.usual + statistics.HALF) < FACTOR
        )


def outside(now: float, before: Sequence[float]) -> bool:
    """Whether a figure lies outside of those before, the one farthest from their median left out.

    So one incident does not hide the next; of three figures none can be left out.
    """
    middle = median(before)
    near = sorted(before, key=lambda figure: abs(figure - middle))
    near = near if len(near) <= FEWEST_PEERS else near[:-1]
    return not min(near) <= now <= max(near)


@dataclass(frozen=True)
class Found:
    """The changes, and how many figures were looked at to find them."""

    changes: Sequence[Change] = ()
    tested: int = 0


def counts(ledger: Ledger, days: Days) -> Found:
    """Counts that changed."""
    rows = [row for figure in series.COUNTS for row in _rows(figure, ledger, days, FEWEST)]
    return _judged(
        rows, lambda row, noise: statistics.count_chance(round(row.now), row.usual, len(row.before), noise)
    )


def sizes(ledger: Ledger, days: Days) -> Found:
    """Bytes that changed."""
    rows = [row for figure in series.SIZES for row in _rows(figure, ledger, days, FEWEST_BYTES)]
    return _judged(rows, _figure_chance)


def delays(ledger: Ledger, days: Days) -> Found:
    """Delays that changed; of days only, as quantiles do not add up."""
    if days.span.unit != "day":
        return Found()
    rows = []
    for figure in series.DELAYS:
        told = series.delays(ledger.history or ledger, series.QUANTILES[figure.measure], DELIVERIES)
        rows += list(_row(figure, None, told, days, least=LEAST_DELAY_S, whole=False))
    return _judged(rows, _figure_chance)


def _figure_chance(row: Row, noise: float) -> float:
    if row.now <= 0 or min(row.before) <= 0:
        return 1.0
    return statistics.figure_chance(row.now, row.before, noise, row.factors)


def _rows(figure: Figure, ledger: Ledger, days: Days, least: int) -> Iterator[Row]:
    for name, told in figure.by_day(ledger.history or ledger, str(days.zone), least):
        yield from _row(figure, name, told, days, least=least, whole=figure.column == "count")


def _row(
    figure: Figure, name: str | None, told: Mapping[date, float], days: Days, *, least: float, whole: bool
) -> Iterator[Row]:
    """The figure on the days that matter, where it is large enough to look at and known on all of them."""
    now, *before = (_on(told, unit, whole or figure.column == "bytes") for unit in (days.span, *days.peers))
    known = [value for value in before if value is not None]
    if now is None or len(known) < len(before) or max(now, median(known)) < least:
        return
    values = {unit: _on(told, unit, whole or figure.column == "bytes") for unit in days.units}
    factors = [
        log((two + statistics.HALF) / (one + statistics.HALF))
        for one, two in ((values[unit], values[other]) for unit, other in days.pairs)
        if one is not None and two is not None
    ]
    level = median(value for value in values.values() if value is not None) if whole else inf
    yield Row(figure, name, now, known, statistics.noise(factors, level), len(factors))


def _on(told: Mapping[date, float], unit: Span, nothing: bool) -> float | None:
    """The figure of a unit; a day without any is zero for what is counted, and unknown otherwise."""
    if nothing and unit.unit != "day":
        return sum(told.get(day, 0) for day in unit.days())
    return told.get(unit.first, 0 if nothing else None)


def _judged(rows: Sequence[Row], chance: Callable[[Row, float], float]) -> Found:
    """The rows that changed, the surest first."""
    if not rows:
        return Found()
    site = median(row.noise for row in rows)
    chances = [chance(row, statistics.settled(row.noise, site, row.factors)) for row in rows]
    changes = [
        Change(row.figure, row.name, row.now, row.usual, adjusted)
        for row, adjusted in zip(rows, statistics.adjusted(chances), strict=True)
        if adjusted <= FALSE and row.beyond
    ]
    changes.sort(
        key=lambda change: (change.chance, change.figure.of, change.name or "", change.figure.measure)
    )
    return Found(changes, len(rows))
