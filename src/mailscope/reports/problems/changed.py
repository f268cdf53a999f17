"""What got worse against the same weekdays before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.reports import figures
from mailscope.reports.problems.problem import Problem
from mailscope.reports.problems.view import View
from mailscope.reports.sections import changes

# The section tells them all.
MOST: Final = 3
MEANING: Final = Phrase(
    "This is out of the ordinary, held against the same weekdays before; chance hardly makes it so."
)
ADVICE: Final = Phrase(
    "See what else changed on that day: a new customer, a release, a holiday, an attack, a destination that "
    "is down."
)


def find(view: View) -> Iterator[Problem]:
    """The surest changes for the worse."""
    found = changes.COUNTS.found(view.ledger, str(view.zone)).changes
    bad = [(place, change) for place, change in enumerate(found, start=1) if change.bad]
    for place, change in bad[:MOST]:
        values = {"measure": Phrase(change.figure.measure), "usual": figures.count(round(change.usual))}
        title = (
            Phrase("{measure} on {day}, usually {usual}", day=view.compared, **values)
            if change.name is None
            else Phrase(
                "{measure} on {day} for {name}, usually {usual}",
                day=view.compared,
                name=change.name,
                **values,
            )
        )
        yield view.problem(
            "serious", "changed", title, MEANING, ADVICE,
            section="changes", number="now", rows=view.rows("changes").filter(pl.col("row") == place),
        )  # fmt: skip
