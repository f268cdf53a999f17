"""What a log holds, counted line by line as it is written.

A line carries a tag: None, or a tuple whose first item is one of the kinds below. Only written lines
count, so the truth holds for a log that is cut in the middle of everything.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

ACCEPTED = "accepted"  # service
QUEUED = "queued"  # sender, size, recipients: first time on the active queue
REQUEUED = "requeued"  # a later time
SENT = "sent"  # service, recipient, size
DEFERRED = "deferred"  # service
BOUNCED = "bounced"  # service
EXPIRED = "expired"  # recipients still pending
REMOVED = "removed"
NOTIFIED = "notified"  # a bounce message was made
FILTERED = "filtered"  # service, recipient, size: sent to the content filter
FORWARDED = "forwarded"  # service, recipient, size: sent on under a new queue id
REJECTED = "rejected"  # kind
FILTER_REJECTED = "filter_rejected"  # by whom, after the queue id was given
DELETED = "deleted"  # recipients still pending
AUTH_FAILED = "auth_failed"  # mechanism
CONNECTED = "connected"  # service
DISCONNECTED = "disconnected"  # service
LOST = "lost"  # stage
TIMED_OUT = "timed_out"  # stage
TLS = "tls"  # direction
UNREACHED = "unreached"  # reason: connect to ...: Connection refused

Tag = tuple[Any, ...] | None
TOP = 100
HOURLY = {
    ACCEPTED: "accepted",
    SENT: "sent",
    FILTERED: "sent",
    FORWARDED: "sent",
    DEFERRED: "deferred",
    BOUNCED: "bounced",
    REJECTED: "rejected",
}


class Truth:
    """The counts of a log under way."""

    def __init__(self) -> None:
        self.lines = 0
        self.bytes_written = 0
        self._kinds: Counter[str] = Counter()
        self._details: Counter[tuple[str, str]] = Counter()
        self._senders: Counter[str] = Counter()
        self._sender_bytes: Counter[str] = Counter()
        self._recipients: Counter[str] = Counter()
        self._sums: Counter[str] = Counter()
        self._hours: dict[str, Counter[str]] = {}

    def count(self, tags: Iterable[Tag], hour: str) -> None:
        """Count the tags of lines written for an hour (UTC, `2026-03-02T00`)."""
        hourly = self._hours.setdefault(hour, Counter())
        for tag, times in Counter(tags).items():
            if tag is None:
                continue
            kind = tag[0]
            self._kinds[kind] += times
            if kind in HOURLY:
                hourly[HOURLY[kind]] += times
            if kind == QUEUED:
                _, sender, size, recipients = tag
                self._senders[sender] += times
                self._sender_bytes[sender] += times * size
                self._sums["bytes_queued"] += times * size
                self._sums["recipients_queued"] += times * recipients
            elif kind in (SENT, FILTERED, FORWARDED):
                _, service, recipient, size = tag
                self._details[SENT, service] += times
                self._recipients[recipient] += times
                self._sums["bytes_sent"] += times * size
            elif kind in (EXPIRED, DELETED):
                self._sums[f"recipients_{kind}"] += times * tag[1]
            elif len(tag) > 1:
                self._details[kind, tag[1]] += times

    def as_dict(self) -> dict[str, Any]:
        """Give the counts as plain data, for a JSON file."""
        kinds, sums = self._kinds, self._sums
        sent = kinds[SENT] + kinds[FILTERED] + kinds[FORWARDED]
        ended = sent + kinds[BOUNCED] + sums["recipients_expired"] + sums["recipients_deleted"]
        return {
            "lines": self.lines,
            "bytes": self.bytes_written,
            "accepted": self._by(ACCEPTED),
            "trails": {
                "queued": kinds[QUEUED],
                "queued_again": kinds[REQUEUED],
                "removed": kinds[REMOVED],
                "expired": kinds[EXPIRED],
                "deleted": kinds[DELETED],
                "bounce_messages": kinds[NOTIFIED],
                "bytes_queued": sums["bytes_queued"],
            },
            "attempts": {"sent": sent, "deferred": kinds[DEFERRED], "bounced": kinds[BOUNCED]},
            "attempts_by_service": {kind: self._by(kind) for kind in (SENT, DEFERRED, BOUNCED)},
            "sent_to_filter": kinds[FILTERED],
            "sent_on": kinds[FORWARDED],
            "bytes_sent": sums["bytes_sent"],
            "recipients": {
                "queued": sums["recipients_queued"],
                "sent": sent,
                "bounced": kinds[BOUNCED],
                "expired": sums["recipients_expired"],
                "deleted": sums["recipients_deleted"],
                "open": sums["recipients_queued"] - ended,
            },
            "rejects": self._by(REJECTED),
            "rejected_by_filter": self._by(FILTER_REJECTED),
            "auth_failed": self._by(AUTH_FAILED),
            "connected": self._by(CONNECTED),
            "disconnected": self._by(DISCONNECTED),
            "connection_lost": self._by(LOST),
            "timed_out": self._by(TIMED_OUT),
            "tls_established": self._by(TLS),
            "not_reached": self._by(UNREACHED),
            "by_hour": self._hours,
            "distinct_senders": len(self._senders),
            "distinct_recipients": len(self._recipients),
            "top_senders": top(self._senders),
            "top_senders_by_bytes": top(self._sender_bytes),
            "top_recipients": top(self._recipients),
        }

    def _by(self, kind: str) -> dict[str, int]:
        return dict(sorted((key[1], n) for key, n in self._details.items() if key[0] == kind))


def top(counts: Counter[str]) -> list[tuple[str, int]]:
    """Give the largest counts, largest first; equal ones by name."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:TOP]
