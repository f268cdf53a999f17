"""``mailscope host top``: which commands and users cost most, day by day."""

from __future__ import annotations

import click

from mailscope.cli.host.lastcomm import pacct
from mailscope.cli.host.options import AHZ, Common, common

MEASURES = ("cpu", "calls", "elapsed", "io", "memory")


@click.command()
@click.argument("paths", nargs=-1, metavar="[FILE]...")
@click.option("-m", "--users", "by_user", is_flag=True, help="Users instead of commands.")
@click.option(
    "--by",
    "measure",
    type=click.Choice(MEASURES),
    default="cpu",
    show_default=True,
    help="What they are ordered by.",
)
@click.option(
    "-n",
    "--limit",
    "most",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="So many of each day.",
)
@AHZ
@common
def top(common: Common, paths: tuple[str, ...], by_user: bool, measure: str, most: int, ahz: int) -> None:
    """Show the commands (or users) that cost most, day by day, in seconds, characters and KiB.

    \b
    mailscope host top /var/log/account/pacct*
    mailscope host top -m --by io --format csv
    """
    from mailscope.host.processes import trends
    from mailscope.host.processes.records import AccountingFile

    trend = trends.Trend()
    accounts, clock = common.accounts, common.clock
    for path in paths or (pacct(),):
        with AccountingFile(path, ahz) as file:
            for block in file.blocks():
                trend.add(block, accounts, clock, by_user=by_user)
            common.problems += file.problems
    rows = trend.rows(measure, most)
    if common.form == "text":
        common.put(trends.text(rows, by_user=by_user))
    else:
        common.put_rows(trends.NAMES, rows)
    common.finish()
