"""Checks that are asked of the running daemon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mailscope.daemon.service import Service
from mailscope.watch.checks.check import Health


def measured(service: Service, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """What a check measures now, as JSON holds it.  Raises MailscopeError."""
    from mailscope.watch.checks.answering import answered

    status = service.status
    health = Health(
        status.started, status.lines, status.last_batch, service.measured.lag_s, status.problem,
        tuple(service.problems()),
    )  # fmt: skip
    return answered(service.database, name, options, health).record()
