"""TLS that does not work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mailscope.language.phrase import Phrase
from mailscope.reports.problems.problem import Problem
from mailscope.reports.problems.view import View

WORDS: Final = r"TLS|SSL|certificate|STARTTLS|handshake"
# Scanners speak broken TLS to every port all day long.
FEWEST_A_DAY: Final = 20
MEANING: Final = Phrase("Encrypted connections fail, so that mail waits or goes unencrypted.")
ADVICE: Final = Phrase(
    "If they are deliveries, see what the destination offers (posttls-finger example.org) and whether our "
    "policy is stricter than that; if they are clients, look at our certificate and its chain."
)


def find(view: View) -> Iterator[Problem]:
    """Deliveries put off for it, and warnings of it."""
    for section, label, number in (("deferrals", "reason", "attempts"), ("warnings", "warning", "times")):
        rows = view.matching(section, label, WORDS)
        if len(rows) and rows[number].sum() >= FEWEST_A_DAY * view.days:
            yield view.problem(
                "notice", "tls_failing",
                Phrase("deliveries put off as TLS failed")
                if section == "deferrals"
                else Phrase("warnings that TLS failed"),
                MEANING, ADVICE, section=section, number=number, rows=rows,
            )  # fmt: skip
