"""A notice: one finding's news for one route.  A message holds one notice, or many (a digest, a summary).

    (none) -> waiting -> trying -> sent
                 |         |-----> failed     it was tried for as long as the settings say
                 |---------+-----> replaced   newer news of the finding tell what it would have told
                 '---------------> silenced   acknowledged, muted, over before it was due

The newest notice of a finding and a route tells what people know of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from mailscope.watch.finding import Finding, Severity

Kind = Literal["found", "worse", "more", "again", "over"]
State = Literal["waiting", "trying", "sent", "failed", "replaced", "silenced"]
# What does not change any more.
SETTLED: Final = frozenset({"sent", "failed", "replaced", "silenced"})


@dataclass(frozen=True, slots=True)
class Brief:
    """What must be known of a finding to decide whether there are news of it.

    ``figures``: only numbers that grow with the incident.
    """

    id: str
    detection: str
    severity: Severity
    episodes: int
    over: bool
    newest: datetime
    figures: Mapping[str, float]
    closed: bool


@dataclass(slots=True)
class Notice:
    """A row of ``alerts`` (``vocabulary/tables.py`` tells of each field)."""

    id: str
    time: datetime
    finding_id: str
    route: str
    kind: Kind
    severity: Severity
    episodes: int
    over: bool
    figures: Mapping[str, float]
    gathered: bool
    due_time: datetime
    state: State = "waiting"
    attempts: int = 0
    first_try_time: datetime | None = None
    message_id: str | None = None
    sent_time: datetime | None = None
    error: str | None = None
    # Under way to the route just now; a process that begins knows of none.
    flying: bool = field(default=False, compare=False)

    @property
    def closed(self) -> bool:
        """Whether it does not change any more."""
        return self.state in SETTLED


def identify(finding: str, route: str, brief: Brief, kind: Kind) -> str:
    """The name of some news: decided again after a crash, they have the same."""
    told = json.dumps([finding, route, kind, brief.severity, brief.episodes, brief.over, _sorted(brief)])
    return hashlib.sha256(told.encode()).hexdigest()[:20]


def shown(finding: Finding, route: str) -> Notice:
    """A notice that tells of a finding as it is, to be looked at only."""
    kind: Kind = "found" if finding.over_time is None else "over"
    return Notice(
        id=hashlib.sha256(f"{finding.id} shown".encode()).hexdigest()[:20],
        time=finding.last_time,
        finding_id=finding.id,
        route=route,
        kind=kind,
        severity=finding.severity,
        episodes=finding.episodes,
        over=finding.over_time is not None,
        figures={},
        gathered=False,
        due_time=finding.last_time,
    )


def message_of(notices: Iterable[Notice]) -> str:
    """The name of the message that holds some notices: tried again, it has the same."""
    ids = sorted(each.id for each in notices)
    return ids[0] if len(ids) == 1 else hashlib.sha256(" ".join(ids).encode()).hexdigest()[:20]


def _sorted(brief: Brief) -> list[tuple[str, float]]:
    return sorted(brief.figures.items())
