"""How many findings are open, and how many there were, by detection and severity.

In: rows of the store's table ``findings``.  Out: numbers.  A finding that is over stays in the database for
hours, so that none is missed between two looks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from mailscope.store.database import Queries
from mailscope.watch.metrics.families import Values
from mailscope.watch.metrics.labels import Labels

LABELS: Final = ("detection", "severity")


class Row(NamedTuple):
    """A finding of the store."""

    id: str
    detection: str
    severity: str
    open: bool


def found(looking: Queries) -> list[Row]:
    """The findings that are not sealed: all that are open, and those that were over not long ago."""
    statement = "select id, detection, severity, over_time is null from hot.findings"
    return [Row(*row) for row in looking.connection.execute(statement).fetchall()]


class FindingCounts:
    """Counts findings; ``known``: those that were there before, and count only while they are open."""

    def __init__(self, known: Iterable[Row] = ()) -> None:
        self._labels = Labels()
        self._known = {row.id for row in known}
        self._totals: Counter[tuple[str, ...]] = Counter()

    def values(self, rows: Iterable[Row]) -> Values:
        """The numbers now; what was open once is shown as 0 later."""
        opened: Counter[tuple[str, ...]] = Counter()
        ids = set()
        for row in rows:
            place = self._labels.place("findings", LABELS, (row.detection, row.severity))
            opened[place] += row.open
            ids.add(row.id)
            if row.id not in self._known:
                self._totals[place] += 1
        # Those that are sealed come back no more.
        self._known = ids
        shown = {**dict.fromkeys(self._totals, 0), **opened}
        return {"mailscope_findings_open": dict(shown), "mailscope_findings": dict(self._totals)}
