"""Several reasons that together make a score."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from mailscope.language.phrase import Phrase
from mailscope.watch.finding import Severity

MOST: Final = 100.0
CRITICAL: Final = 80.0
WARNING: Final = 50.0


@dataclass
class Weighing:
    """Reasons with their points; the heaviest stand first."""

    _weighed: list[tuple[float, Phrase]] = field(default_factory=list)

    def add(self, points: float, reason: Phrase) -> None:
        """One more reason."""
        self._weighed.append((points, reason))

    @property
    def score(self) -> float:
        """All points, 100 at most."""
        return min(MOST, float(round(sum(points for points, _ in self._weighed))))

    @property
    def reasons(self) -> tuple[Phrase, ...]:
        """The reasons, the heaviest first."""
        return tuple(reason for _, reason in sorted(self._weighed, key=lambda each: -each[0]))

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return "critical" if self.score >= CRITICAL else "warning" if self.score >= WARNING else "info"
