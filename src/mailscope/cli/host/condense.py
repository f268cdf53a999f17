"""``mailscope host condense``: process accounting merged into its summaries."""

from __future__ import annotations

from pathlib import Path

import click

from mailscope.cli.host.lastcomm import pacct
from mailscope.cli.host.options import AHZ, Common, common


@click.command()
@click.argument("paths", nargs=-1, metavar="[FILE]...")
@click.option(
    "--savacct",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Summary by command; savacct beside the first FILE otherwise.",
)
@click.option(
    "--usracct",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Summary by user; usracct beside the first FILE otherwise.",
)
@click.option(
    "--empty", is_flag=True, help="Empty the files once they are merged; accounting goes on in new ones."
)
@AHZ
@common
def condense(
    common: Common, paths: tuple[str, ...], savacct: Path | None, usracct: Path | None, empty: bool, ahz: int
) -> None:
    """Merge process accounting into savacct and usracct, which GNU acct's sa reads, too.

    No record is merged twice, however often a file is given, grown, rotated or packed; whoever kills it in
    the middle loses nothing.

    \b
    mailscope host condense --empty
    mailscope host condense /var/log/account/pacct.[1-9]*
    """
    condensed(common, paths or (pacct(),), savacct, usracct, ahz=ahz, empty=empty)


def condensed(
    common: Common,
    paths: tuple[str, ...] | str,
    savacct: Path | None,
    usracct: Path | None,
    *,
    ahz: int,
    empty: bool,
) -> None:
    """Merge files, and say what was merged."""
    from mailscope.host.processes.condense import Summaries, condense

    named = (paths,) if isinstance(paths, str) else paths
    beside = Path(named[0]).parent
    summaries = Summaries(savacct or beside / "savacct", usracct or beside / "usracct")
    done = condense(named, summaries, common.accounts, empty=empty, ahz=ahz)
    rows = [
        {"file": each.name, "records": each.records, "merged": each.merged, "known": each.known}
        for each in done
    ]
    if common.form == "text":
        for each in done:
            known = f", {each.known} had been before" if each.known else ""
            common.put([f"{each.name}: {each.merged} of {each.records} records merged{known}\n".encode()])
    else:
        common.put_rows(("file", "records", "merged", "known"), rows)
    common.problems += [problem for each in done for problem in each.problems]
    common.finish()
