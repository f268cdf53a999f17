"""``mailscope mark``: a note on the time line."""

from __future__ import annotations

from pathlib import Path

import click

from mailscope.vocabulary.instants import naive_now


@click.command()
@click.argument("text")
@click.option("--details", default="", metavar="WORDS", help="More words.")
@click.option(
    "--store", type=click.Path(path_type=Path), metavar="DIR", help="The store, where no daemon runs."
)
def mark(text: str, details: str, store: Path | None) -> None:
    """Put a note on the time line, so that causes and effects can be lined up.

    \b
    mailscope mark "moved to the new relay"
    """
    import getpass

    import polars as pl

    from mailscope.cli.inputs import Inputs, say
    from mailscope.cli.stores import directory, settings
    from mailscope.store.remote import Remote

    socket = Path(settings().api.socket)
    if store is None and socket.exists():
        Remote(socket).mark(text, details)
        say("marked")
        return
    from mailscope.recognise.library import Library
    from mailscope.store.database import Database
    from mailscope.store.writer import Writer

    now = naive_now()
    database = Database(directory(store))
    try:
        row = {
            "time": now, "host": None, "kind": "note", "author": getpass.getuser(), "title": text,
            "details": details,
        }  # fmt: skip
        writer = Writer(database, Library(()), Inputs((), None, None, (), "UTC", None).zone)
        writer.add("marks", pl.DataFrame([row], schema_overrides={"host": pl.String}))
    finally:
        database.close()
    say("marked")
