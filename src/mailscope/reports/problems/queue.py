"""Mail that is still in the queue at the end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.reports import balance, figures
from mailscope.reports.problems.problem import Problem
from mailscope.reports.problems.view import View

# Mail that waits for some hours is greylisted, or its host is down: the next day tells.  After a day, senders
# are warned by most MTAs (delay_warning_time).
OLD_S: Final = 86_400
# A queue of this share of all mail taken in is no handful of bad addresses.
SHARE: Final = 0.1
FEWEST: Final = 50
MEANING: Final = Phrase("Mail was accepted and is neither delivered nor returned at the end of these lines.")
ADVICE: Final = Phrase(
    "See which destinations it waits for (section deferrals, qshape deferred); what cannot be delivered is "
    "better returned now than after days."
)


def find(view: View) -> Iterator[Problem]:
    """A queue that is large, or whose oldest message is old."""
    message = balance.messages(view.ledger)
    waiting = message["open"] - message["held"]
    last = view.ledger.last
    began = (
        view.ledger.result("messages")
        .filter((pl.col("went") == "open") & ~pl.col("held"))["first_negated"]
        .max()
    )
    if not isinstance(last, datetime) or not isinstance(began, int) or waiting <= 0:
        return
    age = last.replace(tzinfo=UTC).timestamp() + began
    large = waiting >= max(FEWEST, SHARE * message["accepted"])
    if age < OLD_S and not large:
        return
    rows = view.rows("messages_by_origin").filter(pl.col("end") == "open")
    title = Phrase("messages are still in the queue, the oldest for {age}", age=figures.seconds(age))
    yield view.problem(
        "serious" if large else "notice", "queue_left", title, MEANING, ADVICE,
        section="messages_by_origin", number="messages", rows=rows, count=waiting,
    )  # fmt: skip
