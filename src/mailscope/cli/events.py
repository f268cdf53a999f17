"""``mailscope events``: every event, one JSON object or CSV row each."""

from __future__ import annotations

import sys
from typing import Final

import click

from mailscope.cli.inputs import Inputs, inputs
from mailscope.vocabulary.errors import UsageError
from mailscope.vocabulary.events import EVENTS
from mailscope.vocabulary.fields import BY_NAME

# The byte offset is not known here; trails are the business of trace.
NOT_EXPORTED: Final = frozenset({"offset", "trail_id"})


@click.command()
@inputs
@click.option("--event", multiple=True, metavar="NAME", help="Only events of this kind (repeatable).")
@click.option(
    "--program",
    multiple=True,
    metavar="NAME",
    help="Only lines of this program: tag, service or family, such as smtpd or postfix (repeatable).",
)
@click.option("--fields", metavar="NAMES", help="Only these fields, separated by commas, in this order.")
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help="Stop after so many events.")
@click.option(
    "--format", "form", type=click.Choice(["jsonl", "json", "csv"]), default="jsonl", show_default=True
)
def events(
    inputs: Inputs,
    event: tuple[str, ...],
    program: tuple[str, ...],
    fields: str | None,
    limit: int | None,
    form: str,
) -> None:
    """Give every event as JSON lines, a JSON list or CSV, in the order of the lines."""
    from mailscope.cli.progress import progress
    from mailscope.pipeline import restarting
    from mailscope.reports.export import Choice
    from mailscope.reports.writers import Writer

    choice = Choice(_known_events(event), frozenset(program), _known_fields(fields))
    pipeline = inputs.pipeline(choice.needed())
    writer = Writer(sys.stdout.buffer, form, choice, pipeline.library, limit)
    with progress(pipeline.sources):
        restarting(pipeline, writer.drain)
    if not writer.lines and limit != 0:
        inputs.refuse_nothing(pipeline)
    writer.close()
    inputs.finish(pipeline.sources)


def _known_events(names: tuple[str, ...]) -> frozenset[str]:
    for name in names:
        if name not in EVENTS:
            raise UsageError(
                f"unknown event '{name}'", "--event", f"known events: {', '.join(sorted(EVENTS))}"
            )
    return frozenset(names)


def _known_fields(names: str | None) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(name.strip() for name in (names or "").split(",") if name.strip()))
    for name in wanted:
        if name not in BY_NAME or name in NOT_EXPORTED:
            raise UsageError(
                f"unknown field '{name}'", "--fields", "fields are listed by 'mailscope patterns fields'"
            )
    return wanted
