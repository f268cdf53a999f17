"""``mailscope host sa``: what commands and users cost."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from mailscope.cli.host.lastcomm import pacct
from mailscope.cli.host.options import AHZ, Common, common
from mailscope.vocabulary.errors import UsageError

SAVACCT: Final = "savacct"
USRACCT: Final = "usracct"
# Option -> the order it asks for.
SORTS: Final = {
    "-b --sort-sys-user-div-calls": ("cpu_per_call", "By time of the processor of a call."),
    "-d --sort-avio": ("avio", "By input and output of a call."),
    "-D --sort-tio": ("tio", "By input and output in all, which is shown."),
    "-k --sort-cpu-avmem": ("memory", "By memory of a call."),
    "-K --sort-ksec": ("storage", "By memory times time of the processor, which is shown."),
    "-n --sort-num-calls": ("calls", "By calls."),
    "--sort-real-time": ("elapsed", "By elapsed time."),
}


def _sorts(command: Callable[..., Any]) -> Callable[..., Any]:
    for names, (order, told) in reversed(SORTS.items()):
        command = click.option(*names.split(), "sort", flag_value=order, type=str, help=told)(command)
    return command


@click.command()
@click.argument("path", required=False, metavar="[FILE]")
@click.option(
    "-f", "--not-interactive", "yes", is_flag=True, help="With -v: all that are asked about are junk."
)
@click.option("--file", "--other-acct-file", "named", metavar="FILE", help="Instead of this host's pacct.")
@click.option(
    "--other-savacct-file",
    "savacct",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Summary by command.",
)
@click.option(
    "--other-usracct-file",
    "usracct",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Summary by user.",
)
@click.option(
    "-i", "--dont-read-summary-files", "no_summaries", is_flag=True, help="Only FILE, no summaries."
)
@click.option("-m", "--user-summary", "by_user", is_flag=True, help="By user.")
@click.option("-M", "--group-summary", "by_group", is_flag=True, help="By group.")
@click.option("-u", "--print-users", "each", is_flag=True, help="A line for each process.")
@click.option("-a", "--list-all-names", "everything", is_flag=True, help="No pool of commands that ran once.")
@click.option("-c", "--percentages", is_flag=True, help="Shares of the total.")
@click.option("-l", "--separate-times", is_flag=True, help="The user's and the system's time apart.")
@click.option(
    "-j", "--print-seconds", "seconds", is_flag=True, help="Seconds of a call instead of minutes in all."
)
@click.option("-t", "--print-ratio", "ratio", is_flag=True, help="Elapsed time by time of the processor.")
@click.option(
    "-p", "--show-paging", "paging", is_flag=True, help="Page faults instead of input, output and memory."
)
@click.option("-P", "--show-paging-avg", "paging_average", is_flag=True, help="The same of a call.")
@click.option("-r", "--reverse-sort", "reverse", is_flag=True, help="The smallest first.")
@click.option(
    "-v",
    "--threshold",
    "junk",
    type=click.IntRange(1),
    default=None,
    metavar="CALLS",
    help="Ask whether commands that ran so seldom are junk.",
)
@click.option("--separate-forks", is_flag=True, help="Has no effect, as in GNU's: they are apart.")
@click.option("-s", "--merge", is_flag=True, help="Merge into the summaries: see mailscope host condense.")
@AHZ
@_sorts
@common
def sa(
    common: Common,
    path: str | None,
    named: str | None,
    no_summaries: bool,
    each: bool,
    merge: bool,
    ahz: int,
    **given: Any,
) -> None:
    """Add up what commands or users cost; GNU acct's sa.

    Summaries that lie beside FILE as savacct and usracct are added, as GNU's sa does with its own.

    \b
    mailscope host sa
    mailscope host sa -m --file pacct.1.gz
    mailscope host sa --format csv -a
    """
    from mailscope.host.processes import sa as made
    from mailscope.host.processes.records import AccountingFile

    savacct, usracct, yes = given.pop("savacct"), given.pop("usracct"), given.pop("yes")
    _refuse(each, merge, given["by_user"] or given["by_group"])
    if path and named:
        raise UsageError("the file is named twice", "--file", "name it once")
    chosen = path or named or pacct()
    if merge:
        from mailscope.cli.host.condense import condensed

        condensed(common, chosen, savacct, usracct, ahz=ahz, empty=False)
        return
    asked = _asked(given, yes)
    beside = Path(chosen).parent
    with AccountingFile(chosen, ahz) as file:
        if each:
            _each(common, file, asked)
        else:
            summaries = (
                (None, None) if no_summaries else (savacct or beside / SAVACCT, usracct or beside / USRACCT)
            )
            rows = made.summed(made.used(file, asked, common.accounts, *summaries), asked)
            if common.form == "text":
                common.put(made.text(rows, asked))
            else:
                common.put_rows(made.NAMES, made.values(rows))
        common.problems += file.problems
    common.finish()


def _refuse(each: bool, merge: bool, by_user: bool) -> None:
    if each and (merge or by_user):
        raise UsageError("it does not go with --merge, --user-summary or --group-summary", "--print-users")
    if merge and by_user:
        raise UsageError("it does not go with --user-summary or --group-summary", "--merge")


def _asked(given: dict[str, Any], yes: bool) -> Any:
    from mailscope.host.processes.sa import Asked

    sort = given.pop("sort") or "cpu"
    given.pop("separate_forks")
    given["by_user"] |= given["by_group"]
    given["paging"] |= given["paging_average"]
    given["junk"] = given["junk"] or 0
    return Asked(
        sort=sort,
        total_io=sort == "tio",
        storage=sort == "storage",
        is_junk=(lambda name: True) if yes else _is_junk,
        **given,
    )


def _each(common: Common, file: Any, asked: Any) -> None:
    from mailscope.host.processes import lastcomm, sa
    from mailscope.host.processes.devices import Devices

    if common.form == "text":
        common.put(sa.per_process(file, asked, common.accounts))
        return
    names = lastcomm.Names(common.accounts, Devices(), common.clock)
    common.put_rows(lastcomm.NAMES, (row for block in file.blocks() for row in lastcomm.values(block, names)))


def _is_junk(name: bytes) -> bool:
    """Ask, as GNU's sa does."""
    sys.stdout.buffer.write(b"Junk `%16b'? " % name)
    sys.stdout.buffer.flush()
    return sys.stdin.readline().strip()[:1] in ("y", "Y")
