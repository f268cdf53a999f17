"""How long each kind of data is kept, as the settings say."""

from __future__ import annotations

from datetime import datetime, timedelta

from mailscope.store import upkeep
from mailscope.vocabulary.settings.keeping import Retention


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
