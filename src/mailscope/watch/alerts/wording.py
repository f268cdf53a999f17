"""Findings in words: what a message says, in the language of its route.

Log lines, names and figures come from strangers: they are shown with escapes, cut where they are long, and
never begin a line of their own, so that nothing in a message can pass for a header, a command or advice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from mailscope.language.phrase import Phrase
from mailscope.language.translator import Translator
from mailscope.vocabulary.shown import fit, safe
from mailscope.watch.alerts.message import Message
from mailscope.watch.alerts.notice import Kind, Notice, message_of
from mailscope.watch.commands import filled
from mailscope.watch.detection import About
from mailscope.watch.finding import SEVERITIES, Finding, Severity
from mailscope.watch.registry import abouts
from mailscope.watch.told import SEVERITY

LONGEST_TITLE: Final = 200
LONGEST_LINE: Final = 500
LONGEST_TEXT: Final = 16_000
TITLES: Final[dict[Kind, Phrase]] = {
    "found": Phrase("{severity} on {host}: {title}"),
    "worse": Phrase("{severity} on {host}, worse than before: {title}"),
    "more": Phrase("{severity} on {host}, much more of it: {title}"),
    "again": Phrase("{severity} on {host}, it came back: {title}"),
    "over": Phrase("Over on {host}: {title}"),
}


@dataclass(frozen=True)
class Wording:
    """How one route is told: its language, the zone of its instants, the host's name, lines at most."""

    tr: Translator
    zone: ZoneInfo
    host: str
    lines: int
    route: str = ""
    # What is told of detections that are not ours.
    about: Callable[[str], About | None] | None = None

    def one(self, notice: Notice, finding: Finding, now: datetime) -> Message:
        """The message of one notice; what it tells of the finding is how that is now."""
        plain = self._plain(notice.kind, finding)
        return Message(
            id=message_of([notice]),
            route=self.route,
            kind=notice.kind,
            severity=finding.severity,
            host=self.host,
            time=now,
            title=self._title(notice.kind, finding),
            text="\n".join(self._whole(finding))[:LONGEST_TEXT] + "\n",
            plain=plain,
            thread=finding.id,
        )

    def many(
        self,
        named: Sequence[tuple[Notice, Finding]],
        count: int,
        worst: Severity,
        identity: str,
        now: datetime,
        *,
        storm: bool,
    ) -> Message:
        """A digest, or the summary of a storm: of ``count`` findings it names some, the severest first."""
        tr = self.tr
        figures: dict[str, Any] = {"host": self.host, "count": count, "severity": tr(SEVERITY[worst])}
        if storm:
            title = tr("{host}: {count} findings at once, the worst: {severity}", **figures)
        else:
            title = tr("{host}: gathered findings: {count}, the worst: {severity}", **figures)
        order = sorted(
            named, key=lambda each: (SEVERITIES.index(each[1].severity), each[1].last_time), reverse=True
        )
        lines = [line for notice, finding in order for line in self._row(notice.kind, finding)]
        if count > len(order):
            lines.append(tr("and {count} more: see 'mailscope findings list'", count=count - len(order)))
        findings = [self._plain(notice.kind, finding, lines=0) for notice, finding in order]
        return Message(
            id=identity,
            route=self.route,
            kind="summary" if storm else "digest",
            severity=worst,
            host=self.host,
            time=now,
            title=fit(title, LONGEST_TITLE),
            text="\n".join(lines)[:LONGEST_TEXT] + "\n",
            plain={"count": count, "findings": findings},
        )

    def test(self, identity: str, now: datetime) -> Message:
        """What shows that a route works."""
        tr = self.tr
        title = tr("{host}: a test of the route {route}", host=self.host, route=self.route)
        text = tr("This is a test: whoever reads it will be told of findings on this route.")
        return Message(
            id=identity, route=self.route, kind="test", severity="info", host=self.host, time=now,
            title=title, text=text + "\n", plain={},
        )  # fmt: skip

    def _title(self, kind: Kind, finding: Finding) -> str:
        severity = self.tr(SEVERITY[finding.severity]).upper()
        told = self.tr(TITLES[kind], severity=severity, host=self.host, title=self.tr(finding.title))
        return fit(told, LONGEST_TITLE)

    def _whole(self, finding: Finding) -> Iterator[str]:
        tr, about = self.tr, self._about(finding.detection)
        yield self._shown(tr(finding.title))
        yield ""
        yield from self._facts(finding)
        if finding.reasons:
            yield ""
            yield tr("Reasons:")
            yield from (f"- {self._shown(tr(reason))}" for reason in finding.reasons)
        if about is not None:
            yield ""
            yield tr("What to do:")
            yield tr(about.advice)
        yield ""
        yield from (f"$ {command}" for command in commands(finding, about))
        if finding.lines and self.lines:
            yield ""
            yield tr("From the log:")
            yield from (f"| {self._shown(line.raw)}" for line in finding.lines[: self.lines])

    def _facts(self, finding: Finding) -> Iterator[str]:
        tr = self.tr
        yield tr("Host: {host}", host=self.host)
        yield tr("Severity: {severity}", severity=tr(SEVERITY[finding.severity]))
        yield tr("Seen: {since} to {until} ({zone})", zone=self.zone.key, **self._span(finding))
        if finding.over_time is not None:
            yield tr("Over since: {instant}", instant=self._when(finding.over_time))
        if finding.score is not None:
            yield tr("Score: {score} of 100", score=round(finding.score))
        yield tr("Finding: {id} ({detection})", id=finding.id, detection=finding.detection)

    def _row(self, kind: Kind, finding: Finding) -> Iterator[str]:
        tr = self.tr
        yield self._title(kind, finding)
        over = f", {tr('over')}" if finding.over_time is not None else ""
        span = tr("{since} to {until}", **self._span(finding))
        yield f"    {span}{over}  [{finding.id}]"

    def _plain(self, kind: Kind, finding: Finding, lines: int | None = None) -> dict[str, Any]:
        told = finding.plain()
        told["lines"] = [
            {**line, "raw": line["raw"][:LONGEST_LINE]}
            for line in told["lines"][: self.lines if lines is None else lines]
        ]
        about = self._about(finding.detection)
        told["news"] = kind
        told["advice"] = about.advice if about is not None else ""
        return {**told, "commands": list(commands(finding, about))}

    def _about(self, detection: str) -> About | None:
        own = self.about(detection) if self.about is not None else None
        return own or about_of(detection)

    def _span(self, finding: Finding) -> dict[str, str]:
        return {"since": self._when(finding.first_time), "until": self._when(finding.last_time)}

    def _when(self, instant: datetime) -> str:
        return instant.replace(tzinfo=UTC).astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S")

    def _shown(self, text: str) -> str:
        shown = safe(text)
        return shown if len(shown) <= LONGEST_LINE else f"{shown[: LONGEST_LINE - 1]}…"


def about_of(detection: str) -> About | None:
    """What is known of a detection of ours; None where it is no more."""
    return next((each for each in abouts() if each.name == detection), None)


def commands(finding: Finding, about: About | None) -> Iterator[str]:
    """What to run next."""
    for template in about.commands if about is not None else ():
        made = filled(template, finding.subject)
        if made is not None:
            yield made
    yield f"mailscope findings show {finding.id}"
    yield f"mailscope findings ack {finding.id}"
