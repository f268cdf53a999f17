"""The figures that are compared from day to day, each with the tally that it is read from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import polars as pl

from mailscope.reports.causes import of_attempts
from mailscope.reports.section import day
from mailscope.tallies.keys import DAY
from mailscope.tallies.ledger import Ledger
from mailscope.tallies.tally import quantile

OUTCOME: Final = pl.col("outcome")
DELIVERED: Final = OUTCOME.is_in(["sent", "forwarded"])
BOUNCED: Final = OUTCOME.is_in(["bounced", "expired"])
EVERYTHING: Final = pl.lit(True)
Direction = Literal["more", "less", "either"]


@dataclass(frozen=True)
class Figure:
    """One figure a day, or one for each name (domain, relay) a day.

    ``of``: what the names are; ``measure``: what is told of them; ``only``: which rows of the tally count;
    ``name``: their column of names, or what makes them; ``worse``: which change is bad news.
    """

    of: str
    measure: str
    tally: str
    only: pl.Expr = EVERYTHING
    column: str = "count"
    name: str | Callable[[str], pl.Expr] = ""
    worse: Direction = "either"

    def told(self, ledger: Ledger, zone: str) -> pl.DataFrame:
        """The tally's rows that count, with their ``day`` and ``name``."""
        rows = ledger.result(self.tally).filter(self.only)
        if DAY not in rows.columns:
            rows = rows.with_columns(day(zone).alias(DAY))
        name = pl.col(self.name) if isinstance(self.name, str) and self.name else pl.lit(None, pl.String)
        if callable(self.name):
            name = self.name(zone)
        return rows.with_columns(name.alias("name"))

    def by_day(self, ledger: Ledger, zone: str, least: int) -> Iterator[tuple[str | None, dict[date, int]]]:
        """The figure of each day, by name: only of those that reach ``least`` on any day."""
        rows = self.told(ledger, zone).group_by("name", DAY).agg(pl.col(self.column).sum().alias("figure"))
        rows = rows.filter(pl.col(DAY).is_not_null() & (pl.col("figure").max().over("name") >= least))
        if self.name:
            # A null stands for many names: those pooled, or mail that reached no host.
            rows = rows.filter(pl.col("name").is_not_null())
        found: dict[str | None, dict[date, int]] = {}
        for name, at, figure in rows.select("name", DAY, "figure").sort("name", DAY).iter_rows():
            found.setdefault(name, {})[at] = figure
        yield from found.items()


ALL: Final = "all mail"
RECIPIENTS: Final = "recipient domain"
SENDERS: Final = "sender domain"
RELAYS: Final = "relay"
CAUSES: Final = "cause"
STATUS: Final = pl.col("status")
REJECTED: Final = pl.col("event") == "rejected"
FROM_OUTSIDE: Final = ~pl.col("internal").fill_null(False)


def _attempts(of: str, tally: str, name: str = "") -> tuple[Figure, ...]:
    return (
        Figure(of, "delivered", tally, DELIVERED, name=name, worse="less"),
        Figure(of, "deferred", tally, OUTCOME == "deferred", name=name, worse="more"),
        Figure(of, "bounced", tally, BOUNCED, name=name, worse="more"),
    )


COUNTS: Final[tuple[Figure, ...]] = (
    Figure(ALL, "received", "received"),
    *_attempts(ALL, "attempts"),
    Figure(ALL, "rejected", "verdicts_by_time", REJECTED, worse="more"),
    Figure(ALL, "failed logins", "logins_by_day", pl.col("event") == "login_failed", worse="more"),
    Figure(ALL, "warnings", "problems_by_day", pl.col("event") == "warned", worse="more"),
    Figure(ALL, "errors", "problems_by_day", pl.col("event") != "warned", worse="more"),
    Figure(SENDERS, "received", "sender_domains_by_day", FROM_OUTSIDE, name="domain"),
    *_attempts(RECIPIENTS, "recipient_domains_by_day", "domain"),
    Figure(
        CAUSES, "deferred", "reasons_by_day", STATUS == "deferred", name=of_attempts("cause"), worse="more"
    ),
    Figure(
        CAUSES, "bounced", "reasons_by_day", STATUS != "deferred", name=of_attempts("cause"), worse="more"
    ),
    *_attempts(RELAYS, "relays_by_day", "relay_host"),
)
SIZES: Final[tuple[Figure, ...]] = (
    Figure(ALL, "received", "received", column="bytes"),
    Figure(ALL, "delivered", "attempts", DELIVERED, column="bytes"),
    Figure(SENDERS, "received", "sender_domains_by_day", FROM_OUTSIDE, "bytes", "domain"),
    Figure(RECIPIENTS, "delivered", "recipient_domains_by_day", DELIVERED, "bytes", "domain"),
)
QUANTILES: Final = {"median": 0.5, "95 %": 0.95}
DELAYS: Final = tuple(Figure(ALL, measure, "delays_by_day", worse="more") for measure in QUANTILES)
WORDS: Final = (ALL, RECIPIENTS, SENDERS, CAUSES, RELAYS)


def measures(figures: Sequence[Figure]) -> tuple[str, ...]:
    """What is told, each once."""
    return tuple(dict.fromkeys(figure.measure for figure in figures))


def delays(ledger: Ledger, share: float, fewest: int) -> dict[date, float]:
    """A quantile of the delays of each day with at least so many deliveries, in seconds."""
    found = {}
    for (at,), histogram in ledger.result("delays_by_day").drop_nulls(DAY).group_by(DAY):
        if histogram["count"].sum() >= fewest and isinstance(at, date):
            value = quantile(histogram, share)
            if value is not None:
                found[at] = value
    return found
