"""``mailscope ingest``: load logs that were written before into the store."""

from __future__ import annotations

import click

from mailscope.cli.inputs import Inputs, inputs, say


@click.command()
@inputs
def ingest(inputs: Inputs) -> None:
    """Load logs into the store, so that reports, traces and SQL can look at them without the files.

    What the store holds already is not loaded again: the same files, or files that grew since, can be loaded
    as often as one likes.  The store is --store DIR, or that of the daemon's settings.
    """
    from mailscope.cli.progress import progress
    from mailscope.cli.stores import directory
    from mailscope.pipeline import restarting
    from mailscope.store.database import Database, InUseError
    from mailscope.store.ingest import ingest as load
    from mailscope.store.sealing import remove_strays
    from mailscope.store.writer import Writer

    place, inputs.store = directory(inputs.store), None
    pipeline = inputs.pipeline()
    try:
        database = Database(place)
    except InUseError as error:
        advice = (
            "stop the daemon meanwhile, or name the files in its settings: it reads them from their beginning"
        )
        raise InUseError(error.what, error.where, advice) from error
    for change in database.brought_up:
        say(f"the store was brought up to date: {change}")
    try:
        remove_strays(database)
        writer = Writer(database, pipeline.library, inputs.zone)
        with progress(pipeline.sources, "Loading"):
            loaded = restarting(pipeline, lambda again: load(writer, again))
    finally:
        database.close()
    say(
        f"{loaded.read:,} lines read, {loaded.stored:,} stored in {place}, {loaded.known:,} known before, "
        f"{loaded.blank:,} blank"
    )
    inputs.finish(pipeline.sources)
