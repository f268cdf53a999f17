"""Findings as a person reads them on a terminal; in: findings as JSON holds them (``Finding.plain``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from shlex import quote
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

from mailscope.cli.terminal import safe
from mailscope.watch.detection import About

Plain = Mapping[str, Any]


def text(found: Sequence[Plain], *, lines: bool, zone: ZoneInfo, abouts: Sequence[About]) -> Iterator[str]:
    """Findings with reasons, advice and commands; the advice of a detection is told once."""
    told: set[str] = set()
    for finding in found:
        yield from _head(finding, zone)
        if lines:
            yield from _lines(finding)
        yield from _advice(finding, abouts, words=finding["detection"] not in told)
        told.add(finding["detection"])
        yield ""
    yield _count(len(found))


def rows_text(found: Sequence[Plain], zone: ZoneInfo) -> Iterator[str]:
    """Findings, a few lines each."""
    for finding in found:
        yield from _head(finding, zone)
        yield from _handled(finding, zone)
    yield _count(len(found))


def whole_text(
    finding: Plain, done: Sequence[Plain], zone: ZoneInfo, abouts: Sequence[About]
) -> Iterator[str]:
    """One finding: all that is known of it, and what people did."""
    yield from _head(finding, zone)
    yield from _handled(finding, zone)
    for name, value in finding["figures"].items():
        yield f"  {name.replace('_', ' ')}: {safe(str(value))}"
    about = _about(finding, abouts)
    if about is not None:
        yield ""
        yield from (
            f"  {safe(words)}" for words in (f"{about.sees} {about.why}", about.false_positives) if words
        )
    yield from _advice(finding, abouts, words=True)
    if finding["lines"]:
        yield ""
        yield from _lines(finding)
    for row in done:
        words = f": {safe(row['words'])}" if row["words"] else ""
        until = f" until {_when(row['muted_until'], zone)}" if row["muted_until"] else ""
        yield f"  {_when(row['time'], zone)} {safe(row['author'])} {row['action']}{until}{words}"


def filled(template: str, values: Mapping[str, str]) -> str | None:
    """A command for a finding's subject, quoted for a shell; None where it does not say what is needed."""
    names = [name for _, name, _, _ in Formatter().parse(template) if name]
    if any(name not in values for name in names):
        return None
    return safe(template.format(**{name: quote(values[name]) for name in names}))


def _head(finding: Plain, zone: ZoneInfo) -> Iterator[str]:
    yield f"{finding['severity'].upper()} {safe(finding['title'])}"
    span = f"{_when(finding['first_time'], zone)} to {_when(finding['last_time'], zone)}"
    ended = ", over" if finding["state"] == "over" else ""
    found = f"found {_when(finding['found_time'], zone)}"
    score = f", score {finding['score']:.0f}" if finding["score"] is not None else ""
    yield f"  {finding['detection']}, {span}{ended}, {found}{score}  [{finding['id']}]"
    for reason in finding["reasons"]:
        yield f"  - {safe(reason)}"


def _handled(finding: Plain, zone: ZoneInfo) -> Iterator[str]:
    if finding["acknowledged_by"]:
        when = _when(finding["acknowledged_time"], zone)
        yield f"  acknowledged by {safe(finding['acknowledged_by'])}, {when}"
    if finding["muted_until"]:
        yield f"  muted until {_when(finding['muted_until'], zone)}"


def _advice(finding: Plain, abouts: Sequence[About], *, words: bool) -> Iterator[str]:
    about = _about(finding, abouts)
    if about is None:
        return
    if words and about.advice:
        yield f"  {safe(about.advice)}"
    for command in about.commands:
        made = filled(command, finding["subject"])
        if made is not None:
            yield f"  $ {made}"


def _lines(finding: Plain) -> Iterator[str]:
    for line in finding["lines"]:
        yield f"  | {safe(line['raw'])}"


def _about(finding: Plain, abouts: Sequence[About]) -> About | None:
    return next((each for each in abouts if each.name == finding["detection"]), None)


def _count(count: int) -> str:
    return "nothing was found" if not count else f"{count} finding{'s' if count > 1 else ''}"


def _when(instant: str | datetime, zone: ZoneInfo) -> str:
    if isinstance(instant, str):
        instant = datetime.fromisoformat(instant)
    return instant.replace(tzinfo=UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
