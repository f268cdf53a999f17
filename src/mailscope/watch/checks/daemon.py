"""The daemon: whether it runs and stores what comes, and how far behind it is."""

from __future__ import annotations

from dataclasses import dataclass

from mailscope.watch.checks.check import Check, Facts, Question, ago, counted, option
from mailscope.watch.checks.plugin import Figure, Measured, State


@dataclass(frozen=True)
class Daemon(Question):
    """What is held against the ranges."""

    lag: bool = option(
        False, "Hold the lag of the last batch (from when its newest line was logged until it was stored)."
    )


def measure(facts: Facts, asked: Daemon) -> Measured:
    """What keeps it from storing is critical, any other problem a warning."""
    health = facts.daemon
    if health is None:
        words = "no daemon answers: the store was opened directly"
        return Measured((Figure("last_batch_age", None, "s"),), words, worst=State.CRITICAL)
    age_s = max(0.0, (facts.now - (health.last_batch or health.started)).total_seconds())
    figures = [
        Figure("last_batch_age", round(age_s, 1), "s"),
        Figure("lag", None if health.lag_s is None else round(health.lag_s, 1), "s"),
        Figure("lines", health.lines, "c"),
        Figure("problems", len(health.problems)),
    ]
    if asked.lag:
        figures = [figures[1], figures[0], *figures[2:]]
    worst = State.CRITICAL if health.problem else State.WARNING if health.problems else State.OK
    words = "it stores no lines" if health.problem else "it stores lines"
    words += f", the last batch was {ago(age_s)} ago" if health.last_batch else ", none has come yet"
    words += f", {counted(len(health.problems), 'problem')}" if health.problems else ""
    return Measured(tuple(figures), words, health.problems, worst)


DAEMON = Check(
    "daemon",
    "DAEMON",
    "Whether the daemon stores what comes, and since when nothing came.",
    "-w 15m -c 1h",
    Daemon,
    measure,
    warning="15m",
    critical="1h",
    of_lines=False,
)
