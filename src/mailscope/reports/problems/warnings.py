"""Warnings that no other rule tells of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.reports.problems import configuration, failures, tls
from mailscope.reports.problems.problem import Problem
from mailscope.reports.problems.view import View

# Every site has some each day, of clients without a name for the most part.
FEWEST_A_DAY: Final = 20
ELSEWHERE: Final = "|".join((failures.DISK, failures.FILTER, configuration.WORDS, tls.WORDS))
MEANING: Final = Phrase("Programs warned of something that does not stop mail yet.")
ADVICE: Final = Phrase(
    "Read each kind once: most are harmless, and those that are new are the first sign of trouble."
)


def find(view: View) -> Iterator[Problem]:
    """Where they are more than a few."""
    rows = view.rows("warnings")
    rows = rows.filter(~pl.col("warning").str.contains(f"(?i){ELSEWHERE}").fill_null(False))
    if len(rows) and rows["times"].sum() >= FEWEST_A_DAY * view.days:
        yield view.problem(
            "notice",
            "warnings",
            Phrase("warnings"),
            MEANING,
            ADVICE,
            section="warnings",
            number="times",
            rows=rows,
        )
