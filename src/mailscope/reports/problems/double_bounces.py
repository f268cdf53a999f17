"""Notifications that could not be delivered either."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.reports.problems.problem import Problem
from mailscope.reports.problems.view import View

# A few come from spam with invented senders, every day; more mean that we return what should have been
# refused.
FEWEST_A_DAY: Final = 10
MEANING: Final = Phrase(
    "Mail was returned to senders that do not exist, so that the notification itself came back: mostly spam "
    "that was accepted first and refused later."
)
ADVICE: Final = Phrase(
    "Refuse unknown recipients and unwanted mail while the client is still connected "
    "(reject_unlisted_recipient, a milter) rather than return it."
)


def find(view: View) -> Iterator[Problem]:
    """More of them than stray spam explains."""
    rows = view.rows("notifications").filter(pl.col("notification") == "double bounces")
    if len(rows) and rows["messages"][0] >= FEWEST_A_DAY * view.days:
        yield view.problem(
            "notice", "double_bounces", Phrase("notifications could not be delivered (double bounces)"),
            MEANING, ADVICE, section="notifications", number="messages", rows=rows,
        )  # fmt: skip
