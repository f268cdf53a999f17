"""``mailscope ingest``: load logs that were written before into the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailscope.cli.inputs import Inputs, inputs, say

if TYPE_CHECKING:
    from mailscope.pipeline import Pipeline
    from mailscope.store.ingest import Loaded
    from mailscope.store.remote import Remote


@click.command()
@inputs
def ingest(inputs: Inputs) -> None:
    """Load logs into the store, so that reports, traces and SQL can look at them without the files.

    What the store holds already is not loaded again: the same files, or files that grew since, can be loaded
    as often as one likes.  The store is --store DIR, or that of the daemon's settings.  While the daemon runs
    it stores the lines, between those that come; the files are read here.

    \b
    mailscope ingest /var/log/mail.log*
    """
    from mailscope.cli.progress import progress
    from mailscope.cli.stores import directory, either

    place, inputs.store = directory(inputs.store), None
    pipeline = inputs.pipeline()
    with progress(pipeline.sources, "Loading"):
        loaded = either(
            place,
            lambda: _here(place, pipeline, inputs),
            lambda daemon: _there(daemon, pipeline),
        )
    say(
        f"{loaded.read:,} lines read, {loaded.stored:,} stored in {place}, {loaded.known:,} known before, "
        f"{loaded.blank:,} blank"
    )
    inputs.finish(pipeline.sources)


def _here(place: Path, pipeline: Pipeline, inputs: Inputs) -> Loaded:
    """Nobody has the store: it is written by this process."""
    from mailscope.cli.stores import settings
    from mailscope.pipeline import restarting
    from mailscope.privacy.cleaning import cleaner
    from mailscope.store.database import Database
    from mailscope.store.ingest import ingest as load
    from mailscope.store.sealing import remove_strays
    from mailscope.store.writer import Writer

    database = Database(place)
    for change in database.brought_up:
        say(f"the store was brought up to date: {change}")
    try:
        remove_strays(database)
        # As the daemon does to what it follows: no secret reaches the store.
        pipeline.sources.clean = cleaner(settings(), pipeline.library, database.secret())
        writer = Writer(database, pipeline.library, inputs.zone)
        return restarting(pipeline, lambda again: load(writer, again))
    finally:
        database.close()


def _there(daemon: Remote, pipeline: Pipeline) -> Loaded:
    """The daemon has it: what is read here is sent to it."""
    from mailscope.pipeline import restarting
    from mailscope.store.parts import parts

    return restarting(
        pipeline, lambda again: daemon.load(part for batch in again.batches() for part in parts(batch))
    )
