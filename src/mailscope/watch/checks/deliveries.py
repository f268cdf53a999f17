"""Deliveries: how many succeeded lately, or were put off or refused; too few tell of silence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mailscope.watch.checks.attempts import GIVEN_UP, by_status, of
from mailscope.watch.checks.check import Check, Facts, Question, ago, option, share
from mailscope.watch.checks.plugin import Figure, Measured


@dataclass(frozen=True)
class Deliveries(Question):
    """Which attempts, and which of them are held against the ranges."""

    window_s: float = option(3_600.0, "How far back it looks.")
    count: Literal["sent", "deferred", "bounced", "attempts"] = option(
        "sent", "What the ranges are held against; bounced: given up, with those that expired."
    )
    percent: bool = option(False, "Hold the share of all attempts against the ranges.")
    domain: str | None = option(None, "Only attempts for recipients of this domain.")
    sender: str | None = option(None, "Only attempts for mail from this address or domain.")


def measure(facts: Facts, asked: Deliveries) -> Measured:
    """Attempts by how they ended."""
    found = by_status(facts, asked.window_s, asked.domain, asked.sender)
    counts = {
        "sent": found["sent"],
        "deferred": found["deferred"],
        "bounced": sum(found[each] for each in GIVEN_UP),
        "attempts": found.total(),
    }
    figures = [Figure(name, number) for name, number in counts.items()]
    figures.sort(key=lambda each: each.label != asked.count)
    if asked.percent:
        part = share(counts[asked.count], counts["attempts"])
        figures.insert(0, Figure(f"{asked.count}_percent", part, "%", 0, 100))
    words = ", ".join(f"{counts[name]} {name}" for name in ("sent", "deferred", "bounced"))
    words += f" in {ago(asked.window_s)}{of(asked.domain, asked.sender)}"
    return Measured(tuple(figures), words)


DELIVERIES = Check(
    "deliveries",
    "DELIVERIES",
    "Deliveries that succeeded in a window, or were put off or refused.",
    "-c 1: --window 1h",
    Deliveries,
    measure,
)
