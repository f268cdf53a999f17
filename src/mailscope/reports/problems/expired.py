"""Mail that was given up after days."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.reports.problems.problem import Problem
from mailscope.reports.problems.view import View

# Some domains die every day; this many messages are more than that.
MANY_A_DAY: Final = 20
SHARE: Final = 0.01
MEANING: Final = Phrase("Mail was returned after it had been tried for as long as the queue keeps it.")
ADVICE: Final = Phrase(
    "See which destinations never answered; a wrong route or a dead smart host of ours looks just like that."
)


def find(view: View) -> Iterator[Problem]:
    """Expired messages: a notice; serious where they are many."""
    rows = view.rows("messages_by_origin").filter(pl.col("end") == "expired")
    if len(rows):
        count = int(rows["messages"].sum())
        many = count >= max(MANY_A_DAY * view.days, SHARE * view.total("messages_by_origin", "messages"))
        yield view.problem(
            "serious" if many else "notice", "expired", Phrase("messages expired in the queue"),
            MEANING, ADVICE, section="messages_by_origin", number="messages", rows=rows,
        )  # fmt: skip
