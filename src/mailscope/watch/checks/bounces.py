"""Bounces: the share of recipients that were given up, of those whose fate was decided."""

from __future__ import annotations

from dataclasses import dataclass

from mailscope.watch.checks.attempts import GIVEN_UP, by_status, of, rows
from mailscope.watch.checks.check import Check, Facts, Question, ago, counted, option, share
from mailscope.watch.checks.plugin import Figure, Measured


@dataclass(frozen=True)
class Bounces(Question):
    """Which deliveries."""

    window_s: float = option(3_600.0, "How far back it looks.")
    domain: str | None = option(None, "Only recipients of this domain.")
    sender: str | None = option(None, "Only mail from this address or domain.")
    minimum: int = option(20, "With fewer deliveries it is OK, whatever the share.")


def measure(facts: Facts, asked: Bounces) -> Measured:
    """Sent, and given up (refused for good, or expired)."""
    found = by_status(facts, asked.window_s, asked.domain, asked.sender)
    given_up = sum(found[each] for each in GIVEN_UP)
    whole = given_up + found["sent"]
    part = share(given_up, whole)
    relation, values = rows(facts, asked.window_s, asked.domain, asked.sender, GIVEN_UP)
    causes = facts.ask(
        f"select coalesce(cause, 'unknown') as cause, count(*) as n from {relation} "
        "group by cause order by n desc, cause limit 5",
        values,
    )
    few = whole < asked.minimum
    words = f"{given_up} of {counted(whole, 'delivery', 'deliveries')} bounced in {ago(asked.window_s)}"
    words += of(asked.domain, asked.sender)
    words += f" ({part:.1f} %)" if part is not None else ""
    words += f", fewer than {asked.minimum}" if few and whole else ""
    figures = (
        Figure("bounced_percent", part, "%", 0, 100),
        Figure("bounced", given_up),
        Figure("sent", found["sent"]),
    )
    return Measured(figures, words, tuple(f"{cause}: {n}" for cause, n in causes), few=few)


BOUNCES = Check(
    "bounces",
    "BOUNCES",
    "Share of deliveries that were refused for good or expired, in per cent.",
    "-w 5 -c 20 --window 1h --minimum 50",
    Bounces,
    measure,
)
