"""Coverage: the share of lines that a pattern knows; where it falls, a program's log has changed its form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mailscope.watch.checks.check import Check, Facts, Question, ago, counted, option, share
from mailscope.watch.checks.plugin import Figure, Measured


@dataclass(frozen=True)
class Coverage(Question):
    """Which lines."""

    window_s: float = option(3_600.0, "How far back it looks.")
    program: str | None = option(None, "Only lines of this program, such as postfix/smtpd.")
    minimum: int = option(100, "With fewer lines it is OK, whatever the share.")


def measure(facts: Facts, asked: Coverage) -> Measured:
    """Lines, and those of them that are recognised."""
    from mailscope.vocabulary.tables import EVENTS

    values: list[Any] = []
    condition = "true"
    if asked.program is not None:
        condition = "program = ?"
        values.append(asked.program)
    relation = (
        f"(select program, event from {facts.rows(EVENTS, facts.since(asked.window_s))} where {condition})"
    )
    lines, strange = facts.ask(
        f"select count(*), count(*) filter (where event = 'unrecognised') from {relation}", values
    )[0]
    programs = facts.ask(
        f"select coalesce(program, '(none)') as program, count(*) as n from {relation} "
        "where event = 'unrecognised' group by program order by n desc, program limit 5",
        values,
    )
    part, few = share(lines - strange, lines), lines < asked.minimum
    words = f"{strange} of {counted(lines, 'line')} unrecognised in {ago(asked.window_s)}"
    words += f" of {asked.program}" if asked.program else ""
    words += f" ({part:.2f} % recognised)" if part is not None else ""
    words += f", fewer than {asked.minimum} lines" if few and lines else ""
    figures = (
        Figure("recognised_percent", part, "%", 0, 100),
        Figure("lines", lines),
        Figure("unrecognised", strange),
    )
    return Measured(figures, words, tuple(f"{program}: {n}" for program, n in programs), few=few)


COVERAGE = Check(
    "coverage",
    "COVERAGE",
    "Share of log lines that a pattern knows, in per cent.",
    "-w 98: -c 90: --window 1h",
    Coverage,
    measure,
)
