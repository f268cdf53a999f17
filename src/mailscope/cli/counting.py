"""The tallies of a run: made by one process, or by two where that is quicker and as certain."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailscope.cli.inputs import Found, Inputs
    from mailscope.halves import Cut, Second
    from mailscope.pipeline import Pipeline
    from mailscope.tallies.ledger import Ledger


def counted(inputs: Inputs, found: Found, check: Callable[[], None]) -> tuple[Pipeline, Ledger]:
    """The tallies, made in two processes where that is worth it and certain to be right.

    ``check``: looks at what else was asked for, which needs Polars, before anything is read.
    """
    from mailscope.halves import Second, cut_of

    if cut_of(found[0]) is None:
        check()
        pipeline = pipeline_over(inputs, found)
        return pipeline, count_all(pipeline)
    # Before Polars is imported: a process of two needs no threads besides.
    os.environ["POLARS_MAX_THREADS"] = "1"
    with Second() as second:
        check()
        pipeline = pipeline_over(inputs, found)
        # Of the files that are of the span asked for.
        cut = cut_of(pipeline.sources.files)
        ledger = None if cut is None else _count_halves(inputs, pipeline, cut, second)
    return pipeline, ledger or count_all(pipeline)


def pipeline_over(inputs: Inputs, found: Found) -> Pipeline:
    """The flow over files, with the fields that tallies look at."""
    from mailscope.tallies.tables import needed_fields

    return inputs.pipeline(needed_fields(), found)


def count_all(pipeline: Pipeline) -> Ledger:
    """The tallies, made by this process."""
    from mailscope.cli.progress import progress
    from mailscope.pipeline import restarting

    with progress(pipeline.sources):
        return restarting(pipeline, _count)


def _count_halves(inputs: Inputs, pipeline: Pipeline, cut: Cut, second: Second) -> Ledger | None:
    """Tallies made in two processes; None where only one after the other is certain to be right."""
    from mailscope.cli.progress import progress
    from mailscope.halves import Task, count
    from mailscope.intake.clock import YearDisproved
    from mailscope.trails.partial import PartsDoNotJoin

    try:
        with progress(pipeline.sources):
            return count(Task(pipeline.sources, inputs.patterns, pipeline.selection, cut), second)
    except (PartsDoNotJoin, YearDisproved):
        return None


def _count(pipeline: Pipeline) -> Ledger:
    from mailscope.tallies.ledger import Ledger

    ledger = Ledger()
    for batch, outcome in pipeline.follow():
        ledger.add(batch, outcome)
    return ledger
