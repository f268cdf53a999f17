"""The tallies of a run: made by one process, or by two where that is quicker and as certain.

All of the log is counted, or a day, week or month of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mailscope.vocabulary.errors import InputError, UsageError

if TYPE_CHECKING:
    from mailscope.cli.inputs import Found, Inputs
    from mailscope.halves import Cut
    from mailscope.periods import Reported
    from mailscope.pipeline import Pipeline
    from mailscope.second_process import SecondProcess
    from mailscope.tallies.ledger import Ledger
    from mailscope.vocabulary.calendar import Calendar, Span

    Part = tuple[Calendar, Span | None]


class NoLinesError(InputError):
    """The day, week or month that was asked for has no lines."""


def counted(
    inputs: Inputs, part: Part | None, domains: Collection[str], check: Callable[[], None]
) -> tuple[Pipeline, Ledger]:
    """The tallies, made in two processes where that is worth it and certain to be right.

    ``part``: the day, week or month that is wanted, or None for all; ``domains``: whose mail alone counts
    (none: all); ``check``: looks at what else was asked for, which needs Polars, before anything is read.
    """
    from mailscope.halves import cut_of, second_half

    if inputs.door is not None:
        from mailscope.cli.kept import kept

        check()
        ledger = kept(inputs, part, domains)
        if ledger is not None:
            return pipeline_over(inputs, ([], None)), ledger
    found = inputs.found()
    if cut_of(found[0]) is None:
        check()
        pipeline = pipeline_over(inputs, found, addresses=bool(domains))
        return pipeline, count_part(pipeline, part, domains)
    # Before Polars is imported: a process of two needs no threads besides.
    os.environ["POLARS_MAX_THREADS"] = "1"
    with second_half() as second:
        check()
        pipeline = pipeline_over(inputs, found, addresses=bool(domains))
        # Of the files that are of the span asked for.
        cut = cut_of(pipeline.sources.files)
        ledger = None if cut is None else _count_halves(inputs, pipeline, cut, second, part, domains)
    return pipeline, ledger or count_part(pipeline, part, domains)


def nothing(inputs: Inputs, part: Part) -> tuple[Pipeline, Ledger]:
    """The tallies of a day, week or month without lines."""
    from mailscope.tallies.ledger import Ledger

    ledger = Ledger(zone=inputs.zone, reported=part[1], history=Ledger(zone=inputs.zone))
    return pipeline_over(inputs, ([], None)), ledger


def pipeline_over(inputs: Inputs, found: Found, *, addresses: bool = False) -> Pipeline:
    """The flow over files, with the fields that tallies look at."""
    from mailscope.tallies.tables import needed_fields

    return inputs.pipeline(needed_fields(addresses=addresses), found)


def count_part(pipeline: Pipeline, part: Part | None, domains: Collection[str]) -> Ledger:
    """The tallies of a part of the lines, or of all."""
    return count_all(pipeline, domains) if part is None else count_period(pipeline, *part, domains)


def count_period(
    pipeline: Pipeline, calendar: Calendar, wanted: Span | None, domains: Collection[str]
) -> Ledger:
    """Tallies of one unit, with those of its history.  Raises NoLinesError where it has no lines."""
    from mailscope.cli.progress import progress
    from mailscope.periods import Spanned, count
    from mailscope.pipeline import restarting

    now = pipeline.sources.now
    spanned = Spanned(
        pipeline.sources, pipeline.library, pipeline.needed, pipeline.selection, calendar=calendar
    )
    with progress(pipeline.sources):
        reported = restarting(spanned, lambda again: count(again, wanted, now, domains))  # type: ignore[arg-type]
    return _told(reported, pipeline, calendar, wanted)


def _told(reported: Reported | None, pipeline: Pipeline, calendar: Calendar, wanted: Span | None) -> Ledger:
    """The tallies that are reported.  Raises NoLinesError where the unit that was asked for has none."""
    from mailscope.tallies.ledger import Ledger

    if reported is not None:
        return reported.ledger
    if wanted is None:
        return Ledger(zone=calendar.zone)
    names = ", ".join(source.name for source in pipeline.sources.files)
    raise NoLinesError(f"no line is of {wanted.unit} {wanted.name}", names, "name the files that hold it")


def again(pipeline: Pipeline, ledger: Ledger, *, history: bool) -> Pipeline:
    """The pipeline that goes once more through the lines that a ledger was counted from.

    ``history``: also through those before the day, week or month that is reported.
    """
    from mailscope.periods import Spanned, selected
    from mailscope.pipeline import Pipeline
    from mailscope.vocabulary.calendar import Calendar

    if ledger.reported is None:
        return pipeline
    sources, library, needed = pipeline.sources, pipeline.library, pipeline.needed
    if history:
        calendar = Calendar(ledger.reported.unit, ledger.zone)
        return Spanned(sources, library, needed, pipeline.selection, calendar=calendar)
    selection = selected(ledger.reported, pipeline.selection)
    return Pipeline(sources, library, needed, selection)


def count_all(pipeline: Pipeline, domains: Collection[str]) -> Ledger:
    """The tallies, made by this process."""
    from mailscope.cli.progress import progress
    from mailscope.pipeline import restarting

    with progress(pipeline.sources):
        return restarting(pipeline, lambda again: _count(again, domains))


def _count_halves(
    inputs: Inputs,
    pipeline: Pipeline,
    cut: Cut,
    second: SecondProcess,
    part: Part | None,
    domains: Collection[str],
) -> Ledger | None:
    """Tallies made in two processes; None where only one after the other is certain to be right."""
    from mailscope.cli.progress import progress
    from mailscope.halves import Task, count
    from mailscope.intake.clock import YearDisproved
    from mailscope.tallies.ledger import Ledger
    from mailscope.trails.partial import PartsDoNotJoin

    task = Task(pipeline.sources, inputs.patterns, pipeline.selection, cut, part, domains)
    try:
        with progress(pipeline.sources):
            counted = count(task, second)
    except (PartsDoNotJoin, YearDisproved):
        return None
    if part is None:
        assert isinstance(counted, Ledger)
        return counted
    assert not isinstance(counted, Ledger)
    return _told(counted, pipeline, *part)


def _count(pipeline: Pipeline, domains: Collection[str]) -> Ledger:
    from mailscope.tallies.domain import DomainView
    from mailscope.tallies.ledger import Ledger

    ledger = Ledger(zone=pipeline.sources.zone, view=DomainView(domains) if domains else None)
    for batch, outcome in pipeline.follow():
        ledger.add(batch, outcome)
    return ledger


def parse_period(inputs: Inputs, text: str) -> Part:
    """What ``--period`` asks for.  Raises UsageError where ``--since`` or ``--until`` is given as well."""
    from mailscope.cli.period import OPTION, parse

    if inputs.since or inputs.until:
        other = "--since" if inputs.since else "--until"
        raise UsageError(
            f"it does not go with {other}", OPTION, "name the day, week or month by either of them"
        )
    return parse(text, datetime.now(UTC), inputs.zone)
