"""qmail-send with more to deliver than it may deliver at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.reports import saturation
from mailscope.reports.problems.problem import Problem
from mailscope.reports.problems.view import View

MEANING: Final = Phrase("Mail waited for a free place while qmail-send delivered as many at once as it may.")


def find(view: View) -> Iterator[Problem]:
    """Saturation that lasts."""
    for finding in saturation.lasting(view.ledger):
        rows = view.rows("concurrency").filter(pl.col(f"{finding.kind}_full") > 0)
        title = Phrase(
            "quarters of an hour with all places for {kind} deliveries taken", kind=Phrase(finding.kind)
        )
        yield view.problem(
            "notice", f"{finding.kind}_saturated", title, MEANING, finding.advice,
            section="concurrency", number=f"{finding.kind}_full", rows=rows, count=finding.slots,
        )  # fmt: skip
