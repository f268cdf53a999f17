"""A client that is refused all day long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.reports.problems.problem import Problem
from mailscope.reports.problems.view import View

FEWEST_A_DAY: Final = 500
# One client among all that are refused.
SHARE: Final = 0.2
MEANING: Final = Phrase(
    "One client made a large part of all refusals: a flood, or an honest host that is set up wrongly."
)
ADVICE: Final = Phrase(
    "See what it is refused for; block it in the firewall or before the greeting (postscreen) if it is a "
    "nuisance, and tell its owner if it is a customer."
)


def find(view: View) -> Iterator[Problem]:
    """Clients with a large share of all refusals."""
    rows = view.rows("reject_clients")
    total = view.total("reject_clients", "rejects")
    rows = rows.filter(pl.col("rejects") >= max(FEWEST_A_DAY * view.days, SHARE * total))
    for place in rows["row"]:
        row = rows.filter(pl.col("row") == place)
        title = Phrase("refusals of one client, {client}", client=row["client_ip"][0])
        yield view.problem(
            "notice",
            "reject_flood",
            title,
            MEANING,
            ADVICE,
            section="reject_clients",
            number="rejects",
            rows=row,
        )
