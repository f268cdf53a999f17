"""Alerts with a clock of their own, over a store that the tests write: who was told what, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from mailscope.language.phrase import Phrase
from mailscope.store import findings as kept
from mailscope.store.database import Database
from mailscope.vocabulary.settings.alerting import Route
from mailscope.vocabulary.settings.reading import parse
from mailscope.watch.alerts.alerting import Alerting
from mailscope.watch.alerts.courier import Outcome
from mailscope.watch.alerts.message import Message
from mailscope.watch.finding import Finding, Line
from mailscope.watch.rows import to_rows

NOON = datetime(2026, 3, 2, 12)
ROME = ZoneInfo("Europe/Rome")
MAIL = '[[alerts.routes]]\nname = "mail"\nvia = "smtp"\nrecipients = ["pm@example.org"]\nsmtp_host = "192.0.2.1"\n'
PHONE = (
    '[[alerts.routes]]\nname = "phone"\nvia = "apprise"\nurls_file = "/nowhere"\ndigest_from = "none"\n'
    'severity = "critical"\n'
)


def finding(name: str = "a", **changes: Any) -> Finding:
    """A brute force, seen at noon."""
    known = Finding(
        id=f"{name:0>16}", detection="brute_force", subject={"user": "anna", "client_ip": "192.0.2.66"},
        severity="warning", title=Phrase("{count} failed logins of {user} from {addresses} addresses", count=20,
                                         user=f"anna-{name}", addresses=3),
        first_time=NOON - timedelta(minutes=5), last_time=NOON, found_time=NOON,
        figures={"failures": 20, "window_s": 600}, reasons=(Phrase("{count} more at once", count=2),),
        lines=(Line("mail.log", 7, NOON, "Mar  2 12:00:00 mx dovecot: auth failed"),),
    )  # fmt: skip
    return replace(known, **changes)


class Fake:
    """A courier that keeps what it is given; what became of it comes with the next step."""

    def __init__(self, desk: Desk, route: str) -> None:
        self.desk, self.route, self.busy = desk, route, False
        self._message: Message | None = None

    def take(self, message: Message) -> None:
        assert not self.busy
        self.busy, self._message = True, message
        self.desk.tried.append((self.route, message))
        if self.route not in self.desk.failing:
            self.desk.sent.append((self.desk.now, self.route, message))

    def outcomes(self) -> list[Outcome]:
        if self._message is None or self.route in self.desk.hanging:
            return []
        message, self._message, self.busy = self._message, None, False
        return [Outcome(message, self.desk.failing.get(self.route), 0.0)]

    def close(self) -> None:
        pass


class Desk:
    """A store, routes, a clock.  ``failing``: routes that take nothing, with why; ``hanging``: that never answer."""

    def __init__(self, directory: Path, settings: str, now: datetime = NOON) -> None:
        self.settings = parse(settings, "test.toml").settings.alerts
        self.database = Database(directory)
        self.now = now
        self.failing: dict[str, str] = {}
        self.hanging: set[str] = set()
        self.sent: list[tuple[datetime, str, Message]] = []
        self.tried: list[tuple[str, Message]] = []
        self.said: list[str] = []
        self.begin()

    def begin(self) -> None:
        """Start the daemon, as after a kill: nothing is remembered but the store."""
        self.alerting = Alerting(self.settings, ROME, self.said.append, self.courier)

    def courier(self, route: Route, host: str) -> Fake:
        return Fake(self, route.name)

    def put(self, *findings: Finding) -> None:
        """Store findings in place of those of the same ids."""
        rows = to_rows(findings)
        connection = self.database.connection
        connection.register("new", rows)
        connection.execute("delete from hot.findings where id in (select id from new)")
        connection.execute("insert into hot.findings by name select * from new")
        connection.unregister("new")

    def handle(self, name: str, action: kept.Action, until: datetime | None = None) -> None:
        """What a person does about a finding."""
        row = kept.handling(name, self.now, action, "anna", "", until)
        connection = self.database.connection
        connection.register("new", row)
        connection.execute("insert into hot.handled by name select * from new")
        connection.unregister("new")

    def go(self, minutes: float = 0, step_s: float | None = None) -> list[str]:
        """Let time pass; what was said, as ``ROUTE KIND finding``."""
        before = len(self.sent)
        until = self.now + timedelta(minutes=minutes)
        step_s = step_s or max(20.0, minutes * 60 / 40)
        self.alerting.step(self.database, self.now)
        while self.now < until:
            self.now = min(until, self.now + timedelta(seconds=step_s))
            self.alerting.step(self.database, self.now)
        # Twice at the end, as couriers answer with the next step.
        self.now += timedelta(seconds=2)
        for _ in range(8):
            self.alerting.step(self.database, self.now)
        return [told(route, message) for _, route, message in self.sent[before:]]

    def rows(self) -> list[dict[str, Any]]:
        """What the store holds of it."""
        return self.database.frame("select * from alerts order by time, id").to_dicts()

    def states(self) -> list[str]:
        return [f"{row['route']} {row['kind']} {row['state']}" for row in self.rows()]

    def close(self) -> None:
        self.database.close()


def told(route: str, message: Message) -> str:
    what = (message.thread or "").lstrip("0") or str(message.plain.get("count", ""))
    return f"{route} {message.kind} {what}"
