"""The notices in memory, and their rows in the store: what was decided, what waits, what people know.

Only notices that are not settled, and the newest one of each finding and route while the finding may have
news, are in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from mailscope.store import alerts as kept
from mailscope.store.database import Database
from mailscope.watch.alerts.notice import Notice

COLUMNS: Final = (
    "id", "time", "finding_id", "route", "kind", "severity", "episodes", "over", "gathered", "due_time",
    "state", "attempts", "first_try_time", "message_id", "sent_time", "error", "closed",
)  # fmt: skip


class Outbox:
    """All notices that matter now."""

    def __init__(self) -> None:
        self.pending: dict[str, Notice] = {}
        # By finding, then route.
        self._newest: dict[str, dict[str, Notice]] = {}
        self._unsaved: dict[str, Notice] = {}

    def load(self, database: Database) -> None:
        """Read what the store holds."""
        for row in kept.notices(database):
            self._enter(_notice(row))

    def told(self, finding: str, route: str) -> Notice | None:
        """The newest notice of a finding on a route."""
        return self._newest.get(finding, {}).get(route)

    def of(self, finding: str) -> Iterable[Notice]:
        """The newest notices of a finding, one for each route."""
        return list(self._newest.get(finding, {}).values())

    def waiting(self, route: str) -> list[Notice]:
        """What is not settled and not under way on a route."""
        return [each for each in self.pending.values() if each.route == route and not each.flying]

    def change(self, notice: Notice) -> None:
        """Enter a notice, or what has become of it; it is saved with the next ``save``."""
        self._enter(notice)
        self._unsaved[notice.id] = notice

    def save(self, database: Database) -> None:
        """Bring to the disk what has changed.  What fails is tried again with the next call."""
        kept.put(database, map(_row, self._unsaved.values()))
        self._unsaved.clear()

    def forget(self, finding: str) -> None:
        """A finding of which there will be no news."""
        self._newest.pop(finding, None)

    def _enter(self, notice: Notice) -> None:
        if notice.closed:
            self.pending.pop(notice.id, None)
        else:
            self.pending[notice.id] = notice
        if notice.state != "replaced":
            self._newest.setdefault(notice.finding_id, {})[notice.route] = notice

    def __iter__(self) -> Iterator[Notice]:
        return iter(list(self.pending.values()))


def _row(notice: Notice) -> dict[str, Any]:
    told = {name: getattr(notice, name) for name in COLUMNS}
    return {**told, "figures": json.dumps(dict(notice.figures))}


def _notice(row: dict[str, Any]) -> Notice:
    told = {name: row[name] for name in COLUMNS if name != "closed"}
    return Notice(**told, figures=json.loads(row["figures"]))
