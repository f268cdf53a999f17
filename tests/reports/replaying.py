"""Runs of the flow that can be looked at again and again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from running import UTC_ZONE, library

from mailscope.intake.files import expand
from mailscope.intake.sources import Sources, utc_now
from mailscope.pipeline import Pipeline, restarting
from mailscope.recognise.events import Events
from mailscope.recognise.library import Library
from mailscope.reports.report import Settings, build
from mailscope.tallies.ledger import Ledger
from mailscope.tallies.tables import needed_fields
from mailscope.trails.tracker import Outcome

EXAMPLES = Path(__file__).parents[2] / "examples"


@dataclass
class Replay:
    """A run that can be looked at again and again, as a pipeline can be run again."""

    pairs: list[tuple[list[Events], Outcome]]
    ledger: Ledger

    def follow(self) -> Iterator[tuple[list[Events], Outcome]]:
        yield from self.pairs

    def batches(self) -> Iterator[list[Events]]:
        yield from (batch for batch, _ in self.pairs if batch)

    @property
    def pipeline(self) -> Pipeline:
        return cast(Pipeline, self)

    def report(self, top: int = 0, again: str | None = "") -> dict[str, Any]:
        return build(self.ledger, Settings(UTC_ZONE, top, ["mail.log"], again))


def replay(*paths: Path, patterns: Library | None = None) -> Replay:
    """Run the flow over files and directories."""
    sources = Sources(expand([str(path) for path in paths]).sources, UTC_ZONE, utc_now())

    def work(pipeline: Pipeline) -> Replay:
        done = Replay([], Ledger())
        for batch, outcome in pipeline.follow():
            done.ledger.add(batch, outcome)
            done.pairs.append((batch, outcome))
        return done

    return restarting(Pipeline(sources, patterns or library(), needed_fields()), work)
