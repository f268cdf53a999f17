"""A login that sends far more than all others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.reports.problems.problem import Problem
from mailscope.reports.problems.view import View

# A person does not write so many messages a day; and among a handful of logins there is no "usual".
FEWEST_A_DAY: Final = 200
FEWEST_LOGINS: Final = 5
# Logins of one site differ by much (a few write most of the mail), so only what leaves all others behind
# counts.
TIMES_SECOND: Final = 3
TIMES_MIDDLE: Final = 20
MEANING: Final = Phrase(
    "One login sent many times as much as any other: a stolen password, an infected machine, or a mailing "
    "that nobody announced."
)
ADVICE: Final = Phrase(
    "Ask its owner; if the mail is not theirs, change the password, end its sessions and remove what waits "
    "in the queue (mailscope trace LOGIN)."
)


def find(view: View) -> Iterator[Problem]:
    """The login at the top, if it stands out."""
    rows = view.rows("users")
    if len(rows) < FEWEST_LOGINS:
        return
    first, second = int(rows["messages"][0]), int(rows["messages"][1])
    middle = rows["messages"].median()
    assert isinstance(middle, float)
    least = FEWEST_A_DAY * max(1, view.days)
    if first >= max(least, TIMES_SECOND * second, TIMES_MIDDLE * middle):
        yield view.problem(
            "serious", "login_sends_much",
            Phrase("messages submitted by one login, {user}", user=rows["user"][0]),
            MEANING, ADVICE, section="users", number="messages", rows=rows.filter(pl.col("row") == 1),
        )  # fmt: skip
