"""Where each of our events belongs in ECS: event.kind, event.category, event.type, event.outcome.

Only allowed values of the Elastic Common Schema, and only types that it expects in a category.  ``outcome``
is the program's own view; events that neither go well nor badly have none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Outcome = Literal["success", "failure"] | None


@dataclass(frozen=True, slots=True)
class Category:
    """The categorization fields of one kind of event."""

    category: tuple[str, ...]
    type: tuple[str, ...]
    outcome: Outcome = None
    kind: Literal["event", "metric"] = "event"


_EMAIL: Final = Category(("email",), ("info",))
_PROCESS: Final = Category(("process",), ("info",))
_METRIC: Final = Category(("process",), ("info",), kind="metric")
_ENDED: Final = Category(("network",), ("connection", "end"))
CATEGORIES: Final[dict[str, Category]] = {
    "connected": Category(("network",), ("connection", "start")),
    "disconnected": _ENDED,
    "connection_lost": _ENDED,
    "connection_timed_out": Category(("network",), ("connection", "end"), "failure"),
    "connection_denied": Category(("network",), ("connection", "denied"), "failure"),
    "accepted": Category(("email",), ("info",), "success"),
    "identified": _EMAIL,
    "queued": _EMAIL,
    "delivery_started": _EMAIL,
    "delivery_attempted": _EMAIL,  # its outcome is in its status
    "bounced_to_sender": _EMAIL,
    "rested": _EMAIL,
    "removed": _EMAIL,
    "expired": Category(("email",), ("info",), "failure"),
    "held": _EMAIL,
    "released": _EMAIL,
    "requeued": _EMAIL,
    "deleted": _EMAIL,
    "rejected": Category(("email", "network"), ("denied",), "failure"),
    "reject_warned": _EMAIL,
    "discarded": _EMAIL,
    "redirected": _EMAIL,
    "filtered": _EMAIL,
    "login_succeeded": Category(("authentication",), ("start",), "success"),
    "login_failed": Category(("authentication",), ("start",), "failure"),
    "session_opened": Category(("session",), ("start",)),
    "session_closed": Category(("session",), ("end",)),
    "tls_established": Category(("network",), ("protocol",), "success"),
    "tls_failed": Category(("network",), ("protocol",), "failure"),
    "concurrency": _METRIC,
    "statistics": _METRIC,
    "policy_result": _EMAIL,
    "lookup_failed": Category(("network",), ("info",), "failure"),
    "signed": _EMAIL,
    "verified": _EMAIL,
    "scanned": _EMAIL,
    "command_run": Category(("process",), ("start",)),
    "request_served": Category(("web",), ("access",)),
    "packet_blocked": Category(("network",), ("denied",)),
    "service_started": Category(("process",), ("start",)),
    "service_stopped": Category(("process",), ("end",)),
    "config_changed": Category(("configuration",), ("change",)),
    "lines_lost": _PROCESS,
    "debugged": _PROCESS,
    "noted": _PROCESS,
    "warned": _PROCESS,
    "failed": Category(("process",), ("info",), "failure"),
    "panicked": Category(("process",), ("end",), "failure"),
    "unrecognised": Category((), ()),
}
# What became of a delivery attempt, by its status.
OF_STATUS: Final[dict[str, Outcome]] = {"sent": "success", "deliverable": "success"}
