"""The examples of an own detection: their log lines, and what is found in them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from zoneinfo import ZoneInfo

from mailscope.intake.reader import Source
from mailscope.intake.sources import Sources
from mailscope.pipeline import Pipeline, restarting
from mailscope.recognise.library import Library
from mailscope.watch.finding import Finding
from mailscope.watch.history import detect
from mailscope.watch.own.detection import OwnDetection
from mailscope.watch.own.files import Definition
from mailscope.watch.own.model import Example, Lines
from mailscope.watch.watcher import Watcher

# Where {time} begins, a Monday, and the instant by which years are inferred.
BEGIN: Final = datetime(2026, 3, 2)
NOW: Final = datetime(2026, 12, 31)
MOST_LINES: Final = 200_000
ZONE: Final = ZoneInfo("UTC")


def log_of(example: Example) -> str:
    """The lines of an example, written out.  Raises ValueError where they are too many."""
    parts = example.part or (
        Lines(lines=example.lines or "", repeat=example.repeat, every_s=example.every_s),
    )
    if sum(part.repeat * (part.lines.count("\n") + 1) for part in parts) > MOST_LINES:
        raise ValueError(f"it is longer than {MOST_LINES:,} lines")
    return "".join(_written(parts))


def _written(parts: tuple[Lines, ...]) -> Iterator[str]:
    at = BEGIN
    for part in parts:
        lines = part.lines.strip("\n") + "\n"
        for number in range(1, part.repeat + 1):
            stamp = at.isoformat(timespec="microseconds") + "+00:00"
            yield lines.replace("{time}", stamp).replace("{n}", str(number))
            at += timedelta(seconds=part.every_s)


def found_in(definition: Definition, log: str, library: Library) -> tuple[list[Finding], int]:
    """What the detection finds in a log, each finding as it is in the end; and how many events of its kinds
    there are.
    """
    with TemporaryDirectory(prefix="mailscope-") as directory:
        path = Path(directory) / "example.log"
        path.write_text(log, encoding="utf-8")
        source = Source(str(path), "example", "example", 0, None, path.stat().st_size, "none")

        def work(run: Pipeline) -> tuple[list[Finding], int]:
            alone, found = OwnDetection(definition), dict[str, Finding]()
            for changed in detect(run, Watcher([alone])):
                found.update({finding.id: finding for finding in changed})
            return list(found.values()), alone.met

        sources = Sources([source], ZONE, NOW)
        needed = Watcher([OwnDetection(definition)]).needs()
        return restarting(Pipeline(sources, library, needed), work)
