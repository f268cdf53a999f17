"""Sums that do not add up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mailscope.language.phrase import Phrase
from mailscope.reports.balance import equations
from mailscope.reports.problems.problem import Problem
from mailscope.reports.problems.view import View

MEANING: Final = Phrase(
    "Two counts that are made independently of each other differ, so that one of them is wrong, and with it "
    "numbers of this report."
)
ADVICE: Final = Phrase(
    "Look whether a log file is damaged or missing in between; if none is, this is an error of Mailscope: "
    "report it with the balance sheet."
)


def find(view: View) -> Iterator[Problem]:
    """Each equation of the balance sheet with a remainder."""
    for equation in equations(view.ledger):
        if equation.remainder:
            title = Phrase("{name} do not add up", name=Phrase(equation.name))
            yield Problem("critical", "balance", title, abs(equation.remainder), MEANING, ADVICE)
