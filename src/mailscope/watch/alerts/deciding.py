"""Whether there are news of a finding for a route: what it is now, beside what was told of it last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from mailscope.vocabulary.settings.alerting import Alerts, Route
from mailscope.watch.alerts.notice import Brief, Kind, Notice
from mailscope.watch.finding import SEVERITIES, Severity


@dataclass(frozen=True, slots=True)
class News:
    """What is to be told; ``gathered``: in the digest."""

    kind: Kind
    gathered: bool = False


def news(brief: Brief, told: Notice | None, route: Route, alerts: Alerts, now: datetime) -> News | None:
    """What is to be told on a route; None where nothing is.  ``told``: the last notice of it there."""
    if not _concerns(route, brief.detection):
        return None
    kind = change(brief, told, alerts.more_times)
    if kind is None:
        return None
    if kind in ("found", "again"):
        if not is_late(brief, alerts, now) and reaches(brief.severity, route.severity):
            return News(kind)
        wanted = route.digest_from != "none" and reaches(brief.severity, route.digest_from)
        return News(kind, gathered=True) if wanted else None
    if kind == "worse" and not reaches(brief.severity, route.severity):
        return None
    if told is not None and told.gathered and kind != "worse":
        return None
    return None if kind == "over" and not route.recovery else News(kind)


def change(brief: Brief, told: Notice | None, more_times: int) -> Kind | None:
    """What has changed since something was told."""
    if told is None:
        return "found"
    if brief.episodes > told.episodes and not brief.over:
        return "again"
    if brief.over:
        return None if told.over else "over"
    if SEVERITIES.index(brief.severity) > SEVERITIES.index(told.severity):
        return "worse"
    return "more" if more_times and _grown(brief, told, more_times) else None


def is_late(brief: Brief, alerts: Alerts, now: datetime) -> bool:
    """Whether it was seen last so long ago that it is told in a digest."""
    return now - brief.newest > timedelta(seconds=alerts.late_after_s)


def merged(pending: Kind, kind: Kind) -> Kind:
    """What news are called that take the place of some that nobody has been told yet."""
    return pending if pending in ("found", "again") else kind


def reaches(severity: Severity, least: Severity) -> bool:
    """Whether a severity is at least another."""
    return SEVERITIES.index(severity) >= SEVERITIES.index(least)


def _grown(brief: Brief, told: Notice, times: int) -> bool:
    both = ((value, told.figures.get(name, 0)) for name, value in brief.figures.items())
    return any(value >= times * before > 0 for value, before in both)


def _concerns(route: Route, detection: str) -> bool:
    wanted = not route.detections or detection in route.detections
    return wanted and detection not in route.except_detections
