"""``mailscope coverage``: which lines the patterns know, and what the others look like."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from mailscope.cli.inputs import Inputs, inputs, say

if TYPE_CHECKING:
    from mailscope.pipeline import Pipeline
    from mailscope.recognise.coverage import Coverage
    from mailscope.reports.cause_coverage import CauseCoverage

NO_TAG: Final = "(no tag)"
# Of a line that is longer, JSON has the rest.
SAMPLE_COLUMNS: Final = 400


@click.command()
@inputs
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="Rows of a list at most.",
)
@click.option(
    "--min-share",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Fail (exit code 1) if a smaller share of the lines of covered programs is recognised.",
)
@click.option(
    "--causes", is_flag=True, help="Show instead the deferrals, bounces and rejects without a known cause."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def coverage(inputs: Inputs, top: int, min_share: float | None, causes: bool, form: str) -> None:
    """Say which lines are recognised and show the shapes of the others.

    \b
    mailscope coverage /var/log/mail.log
    mailscope coverage --causes --since yesterday
    """
    from mailscope.cli.progress import progress
    from mailscope.pipeline import restarting
    from mailscope.reports.coverage import summary

    if causes:
        _causes(inputs, top, min_share, form)
        return
    # No field is looked at, only whether a pattern knows the line.
    pipeline = inputs.pipeline({})
    with progress(pipeline.sources):
        found = summary(restarting(pipeline, _count), top)
    if found["lines"]["read"] == found["lines"]["blank"]:
        inputs.refuse_nothing(pipeline)
    if form == "json":
        # In ASCII and without DEL, so that no terminal acts on what a log holds.
        click.echo(json.dumps(found, indent=1, ensure_ascii=True).replace("\x7f", "\\u007f"))
    else:
        for line in _text(found, shutil.get_terminal_size().columns):
            click.echo(line)
    inputs.finish(pipeline.sources)
    reached = found["covered"]["share"]
    if min_share is not None and reached is not None and reached < min_share:
        say(f"{reached:.3f} % of the lines of covered programs are recognised, less than {min_share:g} %")
        sys.exit(1)


def _causes(inputs: Inputs, top: int, min_share: float | None, form: str) -> None:
    """What went wrong without a known cause."""
    from mailscope.cli.progress import progress
    from mailscope.pipeline import restarting
    from mailscope.reports.cause_coverage import needed_fields, summary

    pipeline = inputs.pipeline(needed_fields())
    with progress(pipeline.sources):
        found = summary(restarting(pipeline, _count_causes), top)
    if form == "json":
        click.echo(json.dumps(found, indent=1, ensure_ascii=True).replace("\x7f", "\\u007f"))
    else:
        for line in _causes_text(found):
            click.echo(line)
    inputs.finish(pipeline.sources)
    if min_share is not None and found["share"] is not None and found["share"] < min_share:
        say(f"{found['share']:.3f} % of what went wrong has a known cause, less than {min_share:g} %")
        sys.exit(1)


def _count_causes(pipeline: Pipeline) -> CauseCoverage:
    from mailscope.reports.cause_coverage import CauseCoverage

    found = CauseCoverage()
    for batch in pipeline.batches():
        for events in batch:
            found.add(events)
    return found


def _causes_text(found: dict[str, Any]) -> Iterator[str]:

    known = f", {_percent(found['share'])}" if found["failures"] else ""
    yield (
        f"{found['failures']:,} failed attempts and rejects: {found['classified']:,} with a known cause"
        f"{known}, {found['unclassified']:,} unclassified"
    )
    if found["told_by"]:
        yield ""
        yield f"{'count':>12}  told by"
        for row in found["told_by"]:
            yield f"{row['count']:>12,}  {row['basis'].replace('_', ' ')} ({row['event']})"
    if found["shapes"]:
        yield ""
        yield f"Unclassified, {found['shapes_found']:,} shapes:"
        yield from _shapes(found, "event")


def _shapes(found: dict[str, Any], whose: str) -> Iterator[str]:
    """Shapes of texts, each with its count, the event or program (``whose``) and a sample."""
    from mailscope.cli.terminal import fit, safe

    for row in found["shapes"]:
        shape = "shapes too rare to be kept apart" if row["shape"] is None else row["shape"]
        yield f"{row['count']:>12,}  {safe(row[whose] or NO_TAG)}: {safe(shape)}"
        place = f"{row['source']}:{row['line_number']}"
        yield f"{'':>14}{safe(place)}: {fit(row['sample'], SAMPLE_COLUMNS)}"
    yield from _more(found["shapes_found"] - len(found["shapes"]))


def _count(pipeline: Pipeline) -> Coverage:
    from mailscope.recognise.coverage import Coverage

    found = Coverage()
    for batch in pipeline.batches():
        for events in batch:
            found.add(events)
    return found


def _text(found: dict[str, Any], width: int) -> Iterator[str]:
    from mailscope.cli.terminal import fit

    lines, covered, others = found["lines"], found["covered"], found["not_covered"]
    yield (
        f"{lines['read']:,} lines: {lines['recognised']:,} recognised, {lines['unrecognised']:,} not, "
        f"{lines['blank']:,} blank, {lines['duplicate']:,} duplicate"
    )
    if covered["programs"]:
        yield ""
        yield f"{'lines':>12} {'unrecognised':>12} {'recognised':>10}  program"
        for row in [*covered["programs"], {"program": "all of them", **covered}]:
            name = fit(row["program"] or NO_TAG, max(20, width - 38))
            yield f"{row['lines']:>12,} {row['unrecognised']:>12,} {_percent(row['share']):>10}  {name}"
    if covered["shapes"]:
        yield ""
        yield f"Unrecognised lines of these programs, {covered['shapes_found']:,} shapes:"
        yield from _shapes(covered, "program")
    if others["programs"]:
        yield ""
        yield f"Not covered, because no pattern file knows these programs ({others['lines']:,} lines):"
        for row in others["programs"]:
            yield f"{row['lines']:>12,}  {fit(row['program'] or NO_TAG, max(20, width - 14))}"
        yield from _more(others["programs_found"] - len(others["programs"]))


def _percent(share: float | None) -> str:
    return "" if share is None else "100 %" if share == 100 else f"{share:.3f} %"


def _more(left: int) -> Iterator[str]:
    if left > 0:
        yield f"{'':>14}... and {left:,} more (--top)"
