"""Log lines that are missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.reports.problems.problem import Problem
from mailscope.reports.problems.view import View

MEANING: Final = Phrase(
    "The log itself says that lines were suppressed or lost, so that all numbers are too small."
)
ADVICE: Final = Phrase(
    "Raise the rate limit: RateLimitBurst in journald.conf, $IMJournalRatelimitBurst or SysSock.RateLimit in "
    "rsyslog."
)
# "message repeated N times" tells what was left out, so nothing is lost.
REPEATED: Final = "(?i)repeated"


def find(view: View) -> Iterator[Problem]:
    """Any note of lines lost to a limit."""
    rows = view.rows("log_loss").filter(~pl.col("note").str.contains(REPEATED).fill_null(False))
    if len(rows):
        yield view.problem(
            "serious", "log_lines_lost", Phrase("notes that log lines were lost"),
            MEANING, ADVICE, section="log_loss", number="notes", rows=rows,
        )  # fmt: skip
