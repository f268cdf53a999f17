"""``mailscope host lastcomm``: the commands that ran."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from mailscope.cli.host.options import AHZ, Common, common

if TYPE_CHECKING:
    from mailscope.host.processes.lastcomm import Asked, Names
    from mailscope.host.processes.records import Processes

# Where Debian and its kin keep it, RHEL and its kin, and others.
PACCTS: Final = ("/var/log/account/pacct", "/var/account/pacct", "/var/log/pacct")


def pacct() -> str:
    """This host's file of process accounting, or where it would be."""
    return next((path for path in PACCTS if os.path.exists(path)), PACCTS[0])


@click.command()
@click.argument("names", nargs=-1, metavar="[COMMAND|USER|TTY]...")
@click.option(
    "-f",
    "--file",
    "files",
    multiple=True,
    metavar="FILE",
    help="Instead of this host's pacct (repeatable; - for stdin).",
)
@click.option(
    "--command", "commands", multiple=True, metavar="NAME", help="Commands of that name (repeatable)."
)
@click.option("--user", "users", multiple=True, metavar="NAME", help="Commands of that user (repeatable).")
@click.option("--tty", "ttys", multiple=True, metavar="NAME", help="Commands at that terminal (repeatable).")
@click.option("--strict-match", "strict", is_flag=True, help="All that is given has to fit, not any of it.")
@click.option("--forwards", is_flag=True, help="The first one first.")
@click.option("-p", "--show-paging", "paging", is_flag=True, help="Page faults instead of user and terminal.")
@click.option("--pid", "pids", is_flag=True, help="Process and parent.")
@click.option(
    "--print-controls",
    "controls",
    is_flag=True,
    help="Control characters in names as they are (with --compat).",
)
@AHZ
@click.option("--iso", is_flag=True, help="Times in ISO form.")
@click.option("--debug", is_flag=True, help="Every record, whatever is asked for.")
@common
def lastcomm(common: Common, files: tuple[str, ...], ahz: int, iso: bool, **given: Any) -> None:
    """Show the commands that ran, the last one first; GNU acct's lastcomm.

    FILE may be plain or packed, of any version and byte order.  Times are of the processor, not of the clock.

    \b
    mailscope host lastcomm --user alice
    mailscope host lastcomm --file pacct.1.gz ls pts/3 --format json
    """
    from mailscope.host.processes import lastcomm as made
    from mailscope.host.processes.devices import Devices

    for name in ("names", "commands", "users", "ttys"):
        given[name] = [text.encode("utf-8", "surrogateescape") for text in given[name]]
    asked = made.Asked(**given)
    names = made.Names(common.accounts, Devices(), common.clock, iso)
    paths = files or (pacct(),)
    if common.form == "text":
        common.put(_text(common, paths, ahz, asked, names))
    else:
        rows = (row for some in _found(common, paths, ahz, asked, names) for row in made.values(some, names))
        common.put_rows(made.NAMES, rows)
    common.finish()


def _text(common: Common, paths: tuple[str, ...], ahz: int, asked: Asked, names: Names) -> Iterator[bytes]:
    from mailscope.host.processes.lastcomm import debugged, text
    from mailscope.host.processes.records import AccountingFile

    if not asked.debug:
        yield from (text(some, asked, names) for some in _found(common, paths, ahz, asked, names))
        return
    for path in paths:
        with AccountingFile(path, ahz) as file:
            yield from debugged(file, asked, names)
            common.problems += file.problems


def _found(
    common: Common, paths: tuple[str, ...], ahz: int, asked: Asked, names: Names
) -> Iterator[Processes]:
    from mailscope.host.processes.lastcomm import found
    from mailscope.host.processes.records import AccountingFile

    for path in paths:
        with AccountingFile(path, ahz) as file:
            yield from found(file, asked, names)
            common.problems += file.problems
