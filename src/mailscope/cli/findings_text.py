"""Findings as a person reads them on a terminal.

In: findings as JSON holds them (``Finding.plain``, ``store.findings.plain``), with Phrases for title and
reasons.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from typing import Any
from zoneinfo import ZoneInfo

from mailscope.cli.terminal import safe
from mailscope.language.translator import Translator
from mailscope.watch.commands import filled
from mailscope.watch.detection import About
from mailscope.watch.told import HANDLED, MEANING, SEVERITY, figure

Plain = Mapping[str, Any]


@dataclass(frozen=True)
class Telling:
    """Tells findings in one language, with instants of one zone.

    ``abouts``: what is known of the detections that there are, an admin's own among them.
    """

    tr: Translator
    zone: ZoneInfo
    abouts: Sequence[About] = ()

    def all(self, found: Sequence[Plain], *, lines: bool) -> Iterator[str]:
        """Findings with reasons, advice and commands; the advice of a detection is told once."""
        told: set[str] = set()
        for finding in found:
            yield from self._head(finding)
            if lines:
                yield from _lines(finding)
            yield from self._advice(finding, words=finding["detection"] not in told)
            told.add(finding["detection"])
            yield ""
        yield self._count(len(found))

    def rows(self, found: Sequence[Plain]) -> Iterator[str]:
        """Findings, a few lines each."""
        for finding in found:
            yield from self._head(finding)
            yield from self._handled(finding)
        yield self._count(len(found))

    def whole(self, finding: Plain, done: Sequence[Plain]) -> Iterator[str]:
        """One finding: all that is known of it, and what people did."""
        yield from self._head(finding)
        yield from self._handled(finding)
        for name, value in finding["figures"].items():
            yield f"  {self._pair(figure(self.tr, name), safe(str(value)))}"
        yield from self._meaning(finding)
        yield from self._advice(finding, words=True)
        if finding["lines"]:
            yield ""
            yield from _lines(finding)
        for row in done:
            yield f"  {self._when(row['time'])} {safe(row['author'])} {self._done(row)}"

    def action(self, action: str, finding: Plain) -> str:
        """That something was done about a finding."""
        return self._pair(self.tr(HANDLED[action]), safe(self.tr(finding["title"])))

    def _head(self, finding: Plain) -> Iterator[str]:
        tr = self.tr
        yield f"{tr(SEVERITY[finding['severity']]).upper()} {safe(tr(finding['title']))}"
        since, until = self._when(finding["first_time"]), self._when(finding["last_time"])
        facts = [finding["detection"], tr("{since} to {until}", since=since, until=until)]
        if finding["state"] == "over":
            facts.append(tr("over"))
        facts.append(tr("found {time}", time=self._when(finding["found_time"])))
        if finding["score"] is not None:
            facts.append(tr("score {score} of 100", score=round(finding["score"])))
        line = reduce(lambda before, after: tr("{before}, {after}", before=before, after=after), facts)
        yield f"  {line}  [{finding['id']}]"
        for reason in finding["reasons"]:
            yield f"  - {safe(tr(reason))}"

    def _handled(self, finding: Plain) -> Iterator[str]:
        if finding["acknowledged_by"]:
            when, author = self._when(finding["acknowledged_time"]), safe(finding["acknowledged_by"])
            yield "  " + self.tr("acknowledged by {author}, {time}", author=author, time=when)
        if finding["muted_until"]:
            yield "  " + self._muted(finding["muted_until"])

    def _meaning(self, finding: Plain) -> Iterator[str]:
        about = self._about(finding)
        if about is not None:
            yield ""
            for name in ("sees", "why", "false_positives"):
                yield from meaning(self.tr, name, getattr(about, name))

    def _advice(self, finding: Plain, *, words: bool) -> Iterator[str]:
        about = self._about(finding)
        if about is None:
            return
        if words:
            yield from meaning(self.tr, "advice", about.advice)
        for command in about.commands:
            made = filled(command, finding["subject"])
            if made is not None:
                yield f"  $ {made}"

    def _about(self, finding: Plain) -> About | None:
        return next((each for each in self.abouts if each.name == finding["detection"]), None)

    def _done(self, row: Plain) -> str:
        told = self.tr(HANDLED[row["action"]])
        if row["muted_until"]:
            told = self._muted(row["muted_until"])
        return self._pair(told, safe(row["words"])) if row["words"] else told

    def _muted(self, until: str | datetime) -> str:
        if str(until).startswith("9999"):
            return self.tr(HANDLED["muted"])
        return self.tr("muted until {time}", time=self._when(until))

    def _pair(self, name: str, value: str) -> str:
        return self.tr("{name}: {value}", name=name, value=value)

    def _count(self, count: int) -> str:
        if not count:
            return self.tr("nothing was found")
        return self.tr.count(count, "{n} finding", "{n} findings")

    def _when(self, instant: str | datetime) -> str:
        if isinstance(instant, str):
            instant = datetime.fromisoformat(instant)
        return instant.replace(tzinfo=UTC).astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S")


def meaning(tr: Translator, name: str, words: str) -> Iterator[str]:
    """A line for one of ``MEANING``; none where an admin's own detection has no words for it."""
    if words:
        yield "  " + tr(MEANING[name], words=safe(tr(words)))


def _lines(finding: Plain) -> Iterator[str]:
    for line in finding["lines"]:
        yield f"  | {safe(line['raw'])}"
