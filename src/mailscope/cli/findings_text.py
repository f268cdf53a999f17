"""Findings as a person reads them on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from shlex import quote
from string import Formatter
from zoneinfo import ZoneInfo

from mailscope.cli.terminal import safe
from mailscope.watch.finding import SEVERITIES, Finding
from mailscope.watch.registry import abouts


def chosen(found: Iterable[Finding], severity: str) -> list[Finding]:
    """Those that are at least so severe."""
    return [each for each in found if SEVERITIES.index(each.severity) >= SEVERITIES.index(severity)]


def text(found: list[Finding], *, lines: bool, zone: ZoneInfo) -> Iterator[str]:
    """The findings with reasons, advice and commands; the advice of a detection is told once."""
    about = {each.name: each for each in abouts()}
    told: set[str] = set()
    for finding in found:
        span = f"{_when(finding.first_time, zone)} to {_when(finding.last_time, zone)}"
        ended = "" if finding.over_time is None else ", over"
        yield f"{finding.severity.upper()} {safe(finding.title)}"
        yield f"  {finding.detection}, {span}{ended}, found {_when(finding.found_time, zone)}  [{finding.id}]"
        for reason in finding.reasons:
            yield f"  - {safe(reason)}"
        if lines:
            for line in finding.lines:
                yield f"  | {safe(line.raw)}"
        known = about.get(finding.detection)
        if known is not None:
            if finding.detection not in told:
                told.add(finding.detection)
                yield f"  {known.advice}"
            for command in known.commands:
                made = filled(command, finding.subject)
                if made is not None:
                    yield f"  $ {made}"
        yield ""
    count = len(found)
    yield "nothing was found" if not count else f"{count} finding{'s' if count > 1 else ''}"


def filled(template: str, values: Mapping[str, str]) -> str | None:
    """A command for this finding, quoted for a shell; None where the finding does not say what it needs."""
    names = [name for _, name, _, _ in Formatter().parse(template) if name]
    if any(name not in values for name in names):
        return None
    return safe(template.format(**{name: quote(values[name]) for name in names}))


def _when(instant: datetime, zone: ZoneInfo) -> str:
    return instant.replace(tzinfo=UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
