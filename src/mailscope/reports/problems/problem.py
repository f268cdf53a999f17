"""A problem: what is wrong, how much of it, what it means, what to do, and the lines that show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from mailscope.language.phrase import Phrase

# critical: mail is lost or not moving, act now.  serious: some mail does not arrive, or somebody abuses the
# host; act today.  notice: worth a look.
Severity = Literal["critical", "serious", "notice"]
ORDER: Final[tuple[Severity, ...]] = ("critical", "serious", "notice")


@dataclass(frozen=True)
class Problem:
    """One thing that needs a person.

    ``kind``: a word that stays the same, for programs; ``count``: of log lines, attempts or messages, as the
    title says; ``section`` and ``row``: where the report tells more (row: its number, where it is one row);
    ``samples``: some raw lines; ``evidence``: the command that lists all of them, empty where there are none.
    """

    severity: Severity
    kind: str
    title: Phrase
    count: int
    meaning: Phrase
    advice: Phrase
    section: str = ""
    row: int | None = None
    samples: Sequence[str] = ()
    evidence: str = ""

    def as_data(self) -> dict[str, Any]:
        """The problem as plain data."""
        return {
            "severity": self.severity,
            "kind": self.kind,
            "title": self.title,
            "count": self.count,
            "section": self.section,
            "row": self.row,
            "meaning": self.meaning,
            "advice": self.advice,
            "samples": list(self.samples),
            "evidence": self.evidence,
        }
