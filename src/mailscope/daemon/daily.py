"""The report of the day before, by mail, at a set time: once for each day, over restarts and kills.

    STORE/reports/since            the first day that is reported
    STORE/reports/2026-11-26.sent  that day's report was taken by the server: when, and its Message-ID

A short-lived child makes and sends it (``mailscope report --sent-record``); it reaches the store through this
daemon's socket.  The child itself writes the record, right after the server has taken the mail and while it
holds a lock, so it does not matter when the daemon ends.  Only after a child that is killed between the
server's answer and its record the mail is sent again, with the same Message-ID.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from mailscope.daemon.errand import Child
from mailscope.vocabulary.settings.outward import DailyReport
from mailscope.vocabulary.settings.settings import Settings

FOLDER: Final = "reports"
SENT: Final = ".sent"
SINCE: Final = "since"
# Days that were missed are reported later, but no older ones than this.
MISSED_DAYS: Final = 7
# What was logged while the daemon was down is stored first.
SETTLED: Final = timedelta(seconds=5)
FIRST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(hours=1)
# A child that takes longer hangs.
LONGEST_RUN: Final = timedelta(minutes=30)


@dataclass
class Daily:
    """Sends what is due each time that ``step`` is called; never waits.

    ``command``: what makes and sends a report, given the day and where to write its record;
    ``first_wait``: after a failure, so long until the next try, then twice as long each time.
    ``problem``: why the last one was not sent, empty where nothing is wrong.
    """

    folder: Path
    at: time
    zone: ZoneInfo
    keep_days: int
    command: Callable[[date, Path], Sequence[str]]
    environment: dict[str, str]
    say: Callable[[str], None]
    first_wait: timedelta = FIRST_WAIT
    problem: str = ""
    _child: tuple[Child, date] | None = None
    _wait: timedelta = timedelta()
    _again: datetime | None = None
    _begun: datetime | None = None

    def step(self, now: datetime) -> None:
        """Begin or end a child where it is time; ``now`` is naive UTC."""
        self._begun = self._begun or now
        if self._child is not None:
            self._watch(*self._child, now)
        elif now - self._begun >= SETTLED and (self._again is None or now >= self._again):
            try:
                day = self._due(now)
            except OSError as error:
                self._failed(f"{self.folder}: {error.strerror or error}", now)
                return
            if day is not None:
                self._start(day, now)

    def _due(self, now: datetime) -> date | None:
        """The oldest day whose report is due and not sent."""
        local = now.replace(tzinfo=UTC).astimezone(self.zone)
        today = local.date()
        since = self._since(today)
        # Yesterday is reported from the set time on; the days before it were due already.
        last = today - timedelta(days=1 if local.time() >= self.at else 2)
        days = (last - timedelta(days=number) for number in reversed(range(MISSED_DAYS)))
        due = [day for day in days if day >= since and not self._record(day).exists()]
        if not due:
            # Nothing changes before the set time, or midnight.
            self._again = now + FIRST_WAIT
            self._forget(today)
        return due[0] if due else None

    def _since(self, today: date) -> date:
        """The first day that is reported: the one on which reports were first asked for."""
        path = self.folder / SINCE
        try:
            return date.fromisoformat(path.read_text(encoding="ascii").strip())
        except (FileNotFoundError, ValueError):
            self.folder.mkdir(mode=0o750, exist_ok=True)
            beside = path.with_suffix(".new")
            beside.write_text(f"{today}\n", encoding="ascii")
            beside.replace(path)
            return today

    def _record(self, day: date) -> Path:
        return self.folder / f"{day}{SENT}"

    def _start(self, day: date, now: datetime) -> None:
        try:
            child = Child.started(self.command(day, self._record(day)), self.environment, now)
        except OSError as error:
            self._failed(f"it cannot be started ({error.strerror or error})", now)
            return
        self._child = child, day

    def _watch(self, child: Child, day: date, now: datetime) -> None:
        """See whether a child has ended, and how."""
        code = child.ended(now, LONGEST_RUN)
        if code is None:
            return
        words = child.words()
        self._child = None
        if self._record(day).exists():
            self._wait, self._again = timedelta(), None
            # Some of the recipients may have been refused.
            self.problem = f"the report of {day}: {words}" if code else ""
            self.say(self.problem or f"the report of {day} was sent")
        else:
            self._failed(f"the report of {day} was not sent: {words or f'exit code {code}'}", now)

    def _failed(self, words: str, now: datetime) -> None:
        self._wait = min(self._wait * 2 or self.first_wait, LONGEST_WAIT)
        self._again = now + self._wait
        if words != self.problem:
            self.say(f"{words}; it is tried again")
        self.problem = words

    def _forget(self, today: date) -> None:
        """Remove records that are too old to matter."""
        oldest = today - timedelta(days=max(self.keep_days, MISSED_DAYS + 2))
        for path in self.folder.glob(f"*{SENT}"):
            if path.name < f"{oldest}{SENT}":
                path.unlink(missing_ok=True)


def daily(
    settings: Settings, file: Path | None, store: Path, zone: ZoneInfo, say: Callable[[str], None]
) -> Daily | None:
    """What the settings ask for; None where nobody is to get a report.

    ``file``: the settings file that is named, for the child to read as well.
    """
    folder = store.absolute() / FOLDER
    if not settings.daily_report.recipients:
        # When they are asked for again, they begin with that day.
        (folder / SINCE).unlink(missing_ok=True)
        return None
    options = _options(settings.daily_report, zone)
    environment = dict(os.environ)
    if file is not None:
        environment["MAILSCOPE_CONFIG"] = str(file.absolute())

    def command(day: date, record: Path) -> list[str]:
        begin = [sys.executable, "-m", "mailscope", "report", f"--store={store.absolute()}"]
        return [*begin, f"--period=day:{day}", *options, f"--sent-record={record}"]

    at = time.fromisoformat(settings.daily_report.at)
    return Daily(folder, at, zone, settings.retention.reports_days, command, environment, say)


def _options(report: DailyReport, zone: ZoneInfo) -> list[str]:
    """The settings as options of ``mailscope report``."""
    options = [f"--tz={zone}", f"--lang={report.language}", f"--top={report.top}"]
    options += [f"--email-to={recipient}" for recipient in report.recipients]
    if report.sender:
        options.append(f"--email-from={report.sender}")
    if report.via == "sendmail":
        return [*options, f"--sendmail={report.sendmail}"]
    host = f"[{report.smtp_host}]" if ":" in report.smtp_host else report.smtp_host
    options += [f"--smtp={host}:{report.smtp_port}", f"--smtp-tls={report.smtp_tls}"]
    if report.smtp_user:
        options += [f"--smtp-user={report.smtp_user}", f"--smtp-password-file={report.smtp_password_file}"]
    return options
