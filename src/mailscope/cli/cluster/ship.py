"""``mailscope cluster ship``: a store's sealed files into that of the cluster."""

from __future__ import annotations

from pathlib import Path

import click

from mailscope.cli.cluster.options import output
from mailscope.cli.inputs import say
from mailscope.cli.stores import directory


@click.command()
@click.option(
    "--store",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The store to ship; otherwise the daemon's.",
)
@output
def ship(store: Path | None, place: Path) -> None:
    """Bring a store's sealed files to that of the cluster; the daemon may run meanwhile.

    Days come there when they are sealed, some hours after their end.  What was shipped is not shipped again,
    so a timer can run it.

    \b
    mailscope cluster ship --output /srv/mail
    """
    from mailscope.cluster.shipping import ship as bring

    done = bring(directory(store), place)
    say(f"{done.new:,} files shipped, {done.gone:,} gave way to others, {done.known:,} known before")
