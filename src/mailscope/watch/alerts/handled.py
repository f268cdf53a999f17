"""What people did about findings, as far as it decides whether they are told of: ``handled`` of the store.

A finding that is acknowledged is not told of again.  One that is muted is not until then; and neither is
any during a silence, which is a row about all findings (``*``) or those of a detection (``*NAME``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

ALL: Final = "*"


@dataclass
class Handled:
    """The latest of it; rows are entered in order of time, and may be entered twice."""

    newest: datetime = datetime.min
    acknowledged: set[str] = field(default_factory=set)
    # Until when; None: for good.
    muted: dict[str, datetime | None] = field(default_factory=dict)

    def enter(self, rows: Iterable[Mapping[str, Any]]) -> set[str]:
        """Enter rows of ``handled``; which findings (or silences) they are about."""
        about = set()
        for row in rows:
            name, action = row["finding_id"], row["action"]
            self.newest = max(self.newest, row["time"])
            about.add(name)
            if action == "acknowledged":
                self.acknowledged.add(name)
            elif action == "muted":
                self.muted[name] = row["muted_until"]
            elif action == "unmuted":
                self.muted.pop(name, None)
        return about

    def silent(self, finding: str, detection: str, now: datetime) -> bool:
        """Whether nothing is told of a finding."""
        if finding in self.acknowledged:
            return True
        return any(self._muted(name, now) for name in (finding, ALL, f"{ALL}{detection}"))

    def _muted(self, name: str, now: datetime) -> bool:
        if name not in self.muted:
            return False
        until = self.muted[name]
        return until is None or now < until

    def forget(self, finding: str) -> None:
        """A finding that does not change any more."""
        self.acknowledged.discard(finding)
        self.muted.pop(finding, None)
