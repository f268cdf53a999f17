"""``mailscope cluster compact``: few large files of many small ones."""

from __future__ import annotations

from pathlib import Path

import click

from mailscope.cli.cluster.options import output, settings, setup, spark
from mailscope.cli.inputs import say


@click.command()
@output
@spark
def compact(place: Path, master: str | None, conf: tuple[str, ...]) -> None:
    """Make few large files of many small ones, side by side.

    Every run of 'cluster ingest' leaves some files of each day.  Answers stay the same meanwhile.

    \b
    mailscope cluster compact --master spark://head:7077 --output /srv/mail
    """
    from mailscope.cluster.compacting import compact as make_few
    from mailscope.cluster.session import session

    with session(master, "mailscope compact", settings(conf)) as there:
        made = make_few(there, setup(place))
    say(f"{made.before:,} files became {made.after:,}" if made.before else "there is nothing to put together")
