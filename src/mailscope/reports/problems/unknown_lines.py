"""Lines that no pattern knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mailscope.language.phrase import Phrase
from mailscope.reports import balance
from mailscope.reports.problems.problem import Problem
from mailscope.reports.problems.view import View

FEWEST: Final = 20
SHARE: Final = 0.01
MEANING: Final = Phrase(
    "More than one line in a hundred is not understood, and whatever it says is missing in these numbers."
)
ADVICE: Final = Phrase(
    "mailscope coverage shows what they look like; a pattern of your own in /etc/mailscope/patterns.d/ makes "
    "them count."
)


def find(view: View) -> Iterator[Problem]:
    """Where they are more than a few."""
    line = balance.lines(view.ledger)
    if line["unrecognised"] >= max(FEWEST, SHARE * line["read"]):
        yield view.problem(
            "notice", "lines_unknown", Phrase("lines not recognised"), MEANING, ADVICE,
            section="unrecognised", number="lines", rows=view.rows("unrecognised"),
        )  # fmt: skip
