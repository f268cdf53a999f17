"""Delays: how long delivered mail was under way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from mailscope.watch.checks.attempts import of, rows
from mailscope.watch.checks.check import Check, Facts, Question, ago, counted, option
from mailscope.watch.checks.plugin import Figure, Measured

COLUMNS: Final = {
    "total": "delay_s",
    "before_queue": "delay_before_queue_s",
    "in_queue": "delay_in_queue_s",
    "connect": "delay_connect_s",
    "transmit": "delay_transmit_s",
}


@dataclass(frozen=True)
class Delays(Question):
    """Which deliveries, and which delay of them."""

    window_s: float = option(3_600.0, "How far back it looks.")
    percentile: float = option(95.0, "The delay that so many per cent of deliveries do not exceed.")
    stage: Literal["total", "before_queue", "in_queue", "connect", "transmit"] = option(
        "total", "The delay as a whole, or one part of it (only Postfix tells of parts)."
    )
    domain: str | None = option(None, "Only recipients of this domain.")
    sender: str | None = option(None, "Only mail from this address or domain.")
    minimum: int = option(1, "With fewer deliveries it is OK, whatever their delay.")


def measure(facts: Facts, asked: Delays) -> Measured:
    """The percentile of deliveries that succeeded."""
    relation, values = rows(facts, asked.window_s, asked.domain, asked.sender, ("sent",))
    column = COLUMNS[asked.stage]
    count, found, median, longest = facts.ask(
        f"select count({column}), quantile_cont({column}, ?), median({column}), max({column}) "
        f"from {relation}",
        [min(max(asked.percentile, 0.0), 100.0) / 100, *values],
    )[0]
    words = f"{counted(count, 'delivery', 'deliveries')} in {ago(asked.window_s)}"
    words += of(asked.domain, asked.sender)
    if count:
        words += f", {asked.percentile:g} % within {found:.1f} s"
    figures = (
        Figure(f"p{asked.percentile:g}", found, "s"),
        Figure("median", median, "s"),
        Figure("longest", longest, "s"),
        Figure("deliveries", count),
    )
    return Measured(figures, words, few=count < asked.minimum)


DELAYS = Check(
    "delays",
    "DELAYS",
    "Delay that most deliveries do not exceed, in seconds.",
    "-w 2m -c 15m --percentile 95 --window 1h",
    Delays,
    measure,
)
