"""What keeps the store in order between batches: finished days sealed, and what is too old forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from mailscope.store import days, upkeep
from mailscope.store.indexing import make_next
from mailscope.store.sealing import next_slice, seal
from mailscope.store.writer import Writer
from mailscope.vocabulary.settings.keeping import Retention

# So often it is looked for days that may be sealed and rows that are too old.
EVERY: Final = timedelta(minutes=10)


@dataclass
class Upkeep:
    """A round of it, a little at a time.  ``at``: when the next one begins (naive UTC)."""

    at: datetime
    # What is too old was forgotten in this round.
    _expired: bool = False

    def step(self, writer: Writer, retention: Retention | None, now: datetime) -> bool:
        """A piece of what there is to do, in one transaction; whether there is more of it now."""
        if now < self.at:
            return False
        database = writer.database
        part = next_slice(database, now)
        if part is not None:
            writer.checkpoint_of_batch()
            seal(database, part)
            return True
        if make_next(database) is not None:
            return True
        if retention is not None and not self._expired:
            upkeep.expire(database, limits(retention, now))
        # A day at a time, too.
        self._expired = days.tidy(database, writer.zone, now)
        if not self._expired:
            self.at = now + EVERY
        return self._expired


def limits(retention: Retention, now: datetime) -> dict[str, datetime]:
    """Before which instant rows of each kind are forgotten."""
    return {
        "events": now - timedelta(days=retention.events_days),
        "messages": now - timedelta(days=retention.messages_days),
        "deliveries": now - timedelta(days=retention.deliveries_days),
        "sessions": now - timedelta(days=retention.sessions_days),
        "links": now - timedelta(days=retention.messages_days),
        "findings": now - timedelta(days=retention.findings_days),
        "alerts": now - timedelta(days=retention.findings_days),
        "handled": now - timedelta(days=retention.findings_days),
        "marks": now - timedelta(days=retention.marks_days),
        "host_load": now - timedelta(days=retention.host_load_days),
        "host_disks": now - timedelta(days=retention.host_load_days),
        "queue_snapshots": now - timedelta(days=retention.queue_snapshots_days),
        upkeep.HOURS: now - timedelta(days=retention.tallies_days),
        # With the lines, the names that they were counted by.
        upkeep.NAMES: now - timedelta(days=retention.events_days),
        upkeep.AUDIT: now - timedelta(days=retention.audit_days),
    }
