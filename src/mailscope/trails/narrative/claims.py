"""What a line says of another message: its queue id, or the pid of qmail-queue.

The phrases are those of ``search.marks``; here they are read from recognised lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mailscope.trails.narrative.trail import Step
from mailscope.trails.search.marks import MARKS

_QP: Final = {mark.kind: mark.regex for mark in MARKS if mark.names == "qp"}
_FORWARDED: Final = re.compile(next(m.text for m in MARKS if m.kind == "forwarded" and m.names == "queue_id"))
# What an acceptance that names another id means, and how the id is named there.
_ORIGINS: Final = {"pickup": ("requeued", "orig_id"), "exim": ("bounced", "R")}
# Postfix; Sendmail, whose receipts are DSNs too.
BOUNCED: Final = re.compile(r"non-delivery|^return to sender: |^DSN: (?!Return receipt)")


@dataclass(frozen=True)
class Claim:
    """One trail's line says that another is its successor (or, ``back``, its origin)."""

    kind: str
    step: Step
    evidence: str
    queue_id: str | None = None
    qp: int | None = None
    back: bool = False


def is_delivered(step: Step) -> bool:
    """Whether a line of the MTA's says that a recipient's message was handed on."""
    sent = step.event == "delivery_attempted" and step.fields.get("status") == "sent"
    return sent and step.evidence is None


def claims(step: Step) -> Iterator[Claim]:
    """The claims of one line."""
    fields = step.fields
    reason = str(fields.get("reason", ""))
    if is_delivered(step):
        forwarded = _FORWARDED.search(step.text)
        if forwarded and step.service in ("local", "virtual"):
            yield Claim("forwarded", step, f"forwarded as {forwarded[1]}", forwarded[1])
        elif fields.get("next_queue_id"):
            yield Claim("relayed", step, f"queued as {fields['next_queue_id']}", fields["next_queue_id"])
        for kind in ("relayed", "forwarded"):
            for found in _QP[kind].finditer(f" {reason}"):
                yield Claim(kind, step, found[0].strip(" _"), qp=int(found[1]))
    elif step.event == "bounced_to_sender" and fields.get("next_queue_id"):
        kind = "bounced" if BOUNCED.search(reason) else "notified"
        yield Claim(kind, step, f"{reason}: {fields['next_queue_id']}", fields["next_queue_id"])
    elif step.event == "bounced_to_sender" and fields.get("qp") is not None:
        yield Claim("bounced", step, step.text, qp=fields["qp"])
    elif step.event == "accepted" and fields.get("orig_queue_id"):
        kind, name = _ORIGINS.get(step.service or "", ("filtered", "orig_queue_id"))
        yield Claim(kind, step, f"{name}={fields['orig_queue_id']}", fields["orig_queue_id"], back=True)
    elif fields.get("next_queue_id") and fields.get("action") == "proxy-accept":
        yield Claim("filtered", step, f"queued as {fields['next_queue_id']}", fields["next_queue_id"])
