"""Alerts at work: each ``step`` looks what is new, decides what to tell, and hands messages to couriers.

    findings, handled --look--> changed --plan--> notices --save--> store --lanes--> couriers
                                                     ^------------- collect -------------'

A message is handed over only after the store holds that it is tried, and what became of it is stored with the
next step.  So after a crash a message that was under way is sent again, with the same id; none is forgotten.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from mailscope.language.translator import translator
from mailscope.store import alerts as kept
from mailscope.store.database import Database
from mailscope.vocabulary.instants import naive_now
from mailscope.vocabulary.settings.alerting import Alerts, Route
from mailscope.watch.alerts.courier import Courier, Outcome, Thread
from mailscope.watch.alerts.findings import Findings
from mailscope.watch.alerts.handled import ALL, Handled
from mailscope.watch.alerts.lane import Lane, Next, wait
from mailscope.watch.alerts.message import Message
from mailscope.watch.alerts.notice import Notice, message_of
from mailscope.watch.alerts.outbox import Outbox
from mailscope.watch.alerts.planning import Plan
from mailscope.watch.alerts.senders import sender
from mailscope.watch.alerts.wording import Wording
from mailscope.watch.detection import About
from mailscope.watch.finding import SEVERITIES, Finding
from mailscope.watch.rows import from_row

# So often the store is looked at; so often all is looked at again, as mutes end and time passes.
LOOK: Final = timedelta(seconds=2)
AGAIN: Final = timedelta(minutes=1)
# What is under way when the daemon ends has so long to come to its end.
STOP_S: Final = 3.0
# Findings that a digest or a summary names.
MOST_NAMED: Final = 50


def threads(route: Route, host: str) -> Courier:
    """A thread for a route."""
    return Thread(route.name, lambda: sender(route, host))


class Alerting:
    """All routes of the settings.

    ``zone``: of quiet hours, digests and what is shown; ``say``: tells a person, once per change; ``start``:
    makes what takes messages away; ``about``: what is told of detections that are not ours.  Every instant
    is naive UTC.
    """

    def __init__(
        self,
        alerts: Alerts,
        zone: ZoneInfo,
        say: Callable[[str], None],
        start: Callable[[Route, str], Courier] = threads,
        about: Callable[[str], About | None] | None = None,
    ) -> None:
        self._zone, self._say, self._start, self._about = zone, say, start, about
        self._findings, self._handled, self._outbox = Findings(), Handled(), Outbox()
        self._lanes: dict[str, Lane] = {}
        self._leaving: list[Lane] = []
        self._under_way: dict[str, Sequence[Notice]] = {}
        self._dirty: set[str] = set()
        self._since: dict[str, datetime] | None = None
        self._print: tuple[Any, ...] = ()
        self._look_at = self._again_at = datetime.min
        self.renew(alerts)

    def renew(self, alerts: Alerts) -> None:
        """Go on with other settings; routes that stay as they were go on with what they do."""
        self._alerts = alerts
        host = alerts.host or socket.gethostname()
        before, self._lanes = self._lanes, {}
        for route in alerts.routes:
            wording = Wording(
                translator(route.language), self._zone, host, route.lines, route.name, self._about
            )
            old = before.get(route.name)
            if old is not None and (old.route, old.wording) == (route, wording):
                self._lanes[route.name] = before.pop(route.name)
            else:
                self._lanes[route.name] = Lane(route, wording, self._start(route, host))
        for lane in before.values():
            lane.courier.close()
            self._leaving.append(lane)
        self._look_at = self._again_at = datetime.min
        self._fresh = True

    def step(self, database: Database, now: datetime) -> None:
        """What is to be done now; does not wait for any route.  Raises as the store does."""
        self._collect(now)
        if not self._lanes and not self._outbox.pending:
            return
        if self._since is None:
            self._outbox.load(database)
            self._handled.enter(kept.handled(database, None))
            since = json.loads(kept.since(database) or "{}")
            self._since = {name: datetime.fromisoformat(at) for name, at in since.items()}
        if self._fresh:
            self._note_routes(database, now)
        if now >= self._look_at:
            self._look(database, now)
        self._decide(now)
        ready = self._prepare(database, now)
        try:
            self._outbox.save(database)
        except BaseException:
            for _, _, notices in ready:
                for notice in notices:
                    notice.flying = False
            raise
        for lane, message, notices in ready:
            self._under_way[_key(lane, message)] = notices
            lane.courier.take(message)

    def _note_routes(self, database: Database, now: datetime) -> None:
        """Since when each route is there; what waits for one that is there no more."""
        assert self._since is not None
        self._since = {name: self._since.get(name, now) for name in self._lanes}
        kept.note_since(database, json.dumps({name: at.isoformat() for name, at in self._since.items()}))
        for notice in self._outbox:
            if notice.route not in self._lanes and not notice.flying:
                self._outbox.change(replace(notice, state="silenced", error="the route is no more"))
        self._dirty |= set(self._findings.briefs)
        self._fresh = False

    def _look(self, database: Database, now: datetime) -> None:
        self._look_at = now + LOOK
        found = kept.print_of(database)
        about: set[str] = set()
        if found != self._print:
            self._print = found
            changed, gone = self._findings.look(database)
            self._dirty = (self._dirty | changed) - gone
            for finding in gone:
                self._outbox.forget(finding)
            about = self._handled.enter(kept.handled(database, self._handled.newest))
        everything = any(name.startswith(ALL) for name in about)
        if everything or now >= self._again_at:
            self._again_at = now + AGAIN
            self._dirty |= set(self._findings.briefs)
        self._dirty |= about & set(self._findings.briefs)

    def _decide(self, now: datetime) -> None:
        """Turn changes of findings into notices."""
        assert self._since is not None
        left = set()
        routes = [(lane.route, self._since[name]) for name, lane in self._lanes.items()]
        plans = [Plan(route, self._alerts, self._zone, since) for route, since in routes]
        for finding in self._dirty:
            brief = self._findings.briefs[finding]
            silent = self._handled.silent(finding, brief.detection, now)
            for plan in plans:
                told = self._outbox.told(finding, plan.route.name)
                if told is not None and told.flying:
                    left.add(finding)
                    continue
                for notice in plan.changes(brief, told, now, silent=silent):
                    self._outbox.change(notice)
            if brief.closed and all(notice.closed for notice in self._outbox.of(finding)):
                for each in (self._findings, self._outbox, self._handled):
                    each.forget(finding)
                left.discard(finding)
        self._dirty = left

    def _prepare(self, database: Database, now: datetime) -> list[tuple[Lane, Message, Sequence[Notice]]]:
        """The messages that are sent now, and the notices in them."""
        found: list[tuple[Lane, Message, Sequence[Notice]]] = []
        for lane in self._lanes.values():
            following = lane.next(self._outbox.waiting(lane.route.name), now)
            message = self._message(database, lane, following, now) if following is not None else None
            if following is None or message is None:
                continue
            tried = [
                replace(
                    notice, state="trying", attempts=notice.attempts + 1, message_id=message.id,
                    first_try_time=notice.first_try_time or now,
                )
                for notice in following.notices
            ]  # fmt: skip
            for notice in tried:
                notice.flying = True
                self._outbox.change(notice)
            found.append((lane, message, tried))
        return found

    def _message(self, database: Database, lane: Lane, following: Next, now: datetime) -> Message | None:
        """The words; None where the store does not hold the findings any more."""
        notices = sorted(following.notices, key=_weight, reverse=True)
        rows = kept.findings(database, [each.finding_id for each in notices[:MOST_NAMED]])
        held: Mapping[str, Finding] = {row["id"]: from_row(row) for row in rows}
        named = [(each, held[each.finding_id]) for each in notices[:MOST_NAMED] if each.finding_id in held]
        if not named:
            for notice in notices[:MOST_NAMED]:
                self._outbox.change(replace(notice, state="silenced", error="the finding is no more"))
            return None
        if not following.gathered and not following.storm:
            return lane.wording.one(*named[0], now)
        identity = message_of(following.notices)
        worst = named[0][1].severity
        return lane.wording.many(named, len(notices), worst, identity, now, storm=following.storm)

    def _collect(self, now: datetime) -> None:
        """What became of messages that were under way."""
        for lane in (*self._lanes.values(), *self._leaving):
            for outcome in lane.courier.outcomes():
                notices = self._under_way.pop(_key(lane, outcome.message), ())
                if outcome.error is None:
                    if lane.failures:
                        self._say(f"the route {lane.route.name} takes alerts again")
                    lane.passed()
                    self._settle(notices, now)
                else:
                    self._failed(lane, notices, outcome, now)
        self._leaving = [lane for lane in self._leaving if lane.courier.busy]

    def _settle(self, notices: Sequence[Notice], now: datetime) -> None:
        for notice in notices:
            self._outbox.change(replace(notice, state="sent", sent_time=now, error=None, flying=False))
            self._look_again(notice)

    def _failed(self, lane: Lane, notices: Sequence[Notice], outcome: Outcome, now: datetime) -> None:
        why = outcome.error or ""
        name = lane.route.name
        if why != lane.problem:
            self._say(f"the route {name} does not take alerts: {why}; they are tried again")
        lane.failed(why, now)
        patience = timedelta(seconds=self._alerts.give_up_after_s)
        for notice in notices:
            given_up = now - (notice.first_try_time or now) >= patience
            if given_up:
                lane.gave_up = f"{now:%Y-%m-%d %H:%M} UTC: {outcome.message.title}"
                self._say(f"the route {name}: an alert is given up: {outcome.message.title}: {why}")
            again = now + wait(notice.attempts)
            self._outbox.change(
                replace(
                    notice, state="failed" if given_up else "trying", due_time=again, error=why, flying=False
                )
            )
            self._look_again(notice)

    def _look_again(self, notice: Notice) -> None:
        if notice.finding_id in self._findings.briefs:
            self._dirty.add(notice.finding_id)

    def problems(self) -> list[str]:
        """What goes wrong just now."""
        told = []
        for name, lane in self._lanes.items():
            if lane.problem:
                waiting = len(self._outbox.waiting(name))
                told.append(f"the route {name} does not take alerts ({waiting} wait): {lane.problem}")
            if lane.gave_up:
                told.append(f"the route {name} has not taken an alert, which was given up at {lane.gave_up}")
        return told

    def close(self, database: Database) -> None:
        """Wait a little for what is under way, note what became of it, and end."""
        until = time.monotonic() + STOP_S
        while self._under_way and time.monotonic() < until:
            self._collect(naive_now())
            time.sleep(0.02)
        for lane in (*self._lanes.values(), *self._leaving):
            lane.courier.close()
        self._outbox.save(database)


def _key(lane: Lane, message: Message) -> str:
    return f"{lane.route.name} {message.id}"


def _weight(notice: Notice) -> tuple[int, datetime]:
    return SEVERITIES.index(notice.severity), notice.time


def nobody() -> Alerting:
    """Alerts that nobody is told."""
    return Alerting(Alerts(), ZoneInfo("UTC"), lambda words: None)
