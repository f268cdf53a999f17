"""What becomes of one finding on one route: a new notice, a waiting one changed, one that nobody needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from mailscope.vocabulary.settings.alerting import Alerts, Route
from mailscope.watch.alerts.deciding import News, change, is_late, merged, news, reaches
from mailscope.watch.alerts.notice import Brief, Kind, Notice, State, identify
from mailscope.watch.alerts.timing import due


@dataclass(frozen=True)
class Plan:
    """The settings that decide it; ``since``: when the route was first there (naive UTC)."""

    route: Route
    alerts: Alerts
    zone: ZoneInfo
    since: datetime

    def changes(self, brief: Brief, told: Notice | None, now: datetime, *, silent: bool) -> Iterator[Notice]:
        """Notices that are new or changed.  ``told``: the newest of the finding on this route, not under way;
        ``silent``: nothing is told of it now.
        """
        if told is not None and told.state == "silenced" and not told.over:
            # It waited when something kept it from being told, so people do not know of it.
            told = None
        if silent:
            yield from self._silenced(brief, told, now)
        elif told is None or told.closed:
            yield from self._new(brief, told, now)
        elif told.state == "waiting":
            yield from self._waiting(brief, told, now)
        elif change(brief, told, self.alerts.more_times) is not None:
            # Perhaps it has arrived, perhaps not: what is told now says what it would have said.
            yield replace(told, state="replaced")
            kind = merged(told.kind, change(brief, told, 0) or told.kind)
            yield self._notice(brief, News(kind, told.gathered), now, now)

    def _new(self, brief: Brief, told: Notice | None, now: datetime) -> Iterator[Notice]:
        if told is None and brief.over and (self.route.after_s or brief.newest < self.since):
            # Nobody need be called any more; or it was over before anybody was to be told.
            return
        found = news(brief, told, self.route, self.alerts, now)
        if found is not None:
            yield self._notice(brief, found, now, self._due(brief, found, now))

    def _waiting(self, brief: Brief, told: Notice, now: datetime) -> Iterator[Notice]:
        """Nobody has been told yet: the same notice tells how it is now."""
        if self.route.after_s and brief.over and told.kind in ("found", "again"):
            yield replace(told, state="silenced", over=True)
            return
        urgent = not is_late(brief, self.alerts, now) and reaches(brief.severity, self.route.severity)
        gathered = told.gathered and not urgent
        news_now = change(brief, told, 0)
        if news_now is None and gathered == told.gathered:
            return
        kind = merged(told.kind, news_now or told.kind)
        at = told.due_time
        if gathered != told.gathered or news_now == "worse":
            at = min(at, self._due(brief, News(kind, gathered), now))
        yield replace(
            told, kind=kind, severity=brief.severity, episodes=brief.episodes, over=brief.over,
            figures=brief.figures, gathered=gathered, due_time=at,
        )  # fmt: skip

    def _silenced(self, brief: Brief, told: Notice | None, now: datetime) -> Iterator[Notice]:
        if told is not None and not told.closed:
            yield replace(told, state="silenced", over=brief.over)
        elif brief.over and (told is None or not told.over):
            # So that it is not told later that something was, which was over meanwhile.
            found = News("found" if told is None else "over")
            if told is not None or news(brief, None, self.route, self.alerts, now) is not None:
                yield self._notice(brief, found, now, now, "silenced")

    def _due(self, brief: Brief, found: News, now: datetime) -> datetime:
        first = found.kind in ("found", "again")
        return due(self.route, brief.severity, now, self.zone, gathered=found.gathered, first=first)

    def _notice(
        self, brief: Brief, found: News, now: datetime, at: datetime, state: State = "waiting"
    ) -> Notice:
        kind: Kind = found.kind
        return Notice(
            id=identify(brief.id, self.route.name, brief, kind),
            time=now,
            finding_id=brief.id,
            route=self.route.name,
            kind=kind,
            severity=brief.severity,
            episodes=brief.episodes,
            over=brief.over,
            figures=brief.figures,
            gathered=found.gathered,
            due_time=at,
            state=state,
        )
