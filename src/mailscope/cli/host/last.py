"""``mailscope host last``: who logged in when, from where and for how long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mailscope.cli.host.logged import is_wide
from mailscope.cli.host.options import Common, Numbered, common
from mailscope.vocabulary.errors import UsageError

if TYPE_CHECKING:
    from mailscope.host.logins.last import Asked, Resolve, Rows
    from mailscope.host.logins.records import LoginFile
    from mailscope.host.logins.wtmpdb import Database

Command = TypeVar("Command", bound=Callable[..., Any])
WTMP = "/var/log/wtmp"
NAMES = ("kind", "user", "tty", "host", "address", "pid", "started", "ended", "duration_s", "state")
TIME_FORMATS = ("notime", "short", "full", "iso")


def options(default: str) -> Callable[[Command], Command]:
    """The options of last and lastb."""
    chosen = (
        click.argument("names", nargs=-1, metavar="[USER|TTY]..."),
        click.option(
            "-f", "--file", "files", multiple=True, metavar="FILE", help=f"Instead of {default} (repeatable)."
        ),
        click.option(
            "-n", "--limit", type=click.IntRange(0), default=0, help="At most so many rows (also -5)."
        ),
        click.option("-s", "--since", metavar="TIME", help="Only what was recorded since then."),
        click.option("-t", "--until", metavar="TIME", help="Only what was recorded until then."),
        click.option("-p", "--present", metavar="TIME", help="Only who was there at that time."),
        click.option("-x", "--system", is_flag=True, help="Also shutdowns, run levels and clock changes."),
        click.option("-a", "--hostlast", is_flag=True, help="Hosts in the last column."),
        click.option("-d", "--dns", is_flag=True, help="Host names as the DNS has them for the address."),
        click.option("-i", "--ip", is_flag=True, help="Addresses instead of host names."),
        click.option("-R", "--nohostname", is_flag=True, help="No hosts."),
        click.option("-w", "--fullnames", is_flag=True, help="Names and hosts in full."),
        click.option("-F", "--fulltimes", is_flag=True, help="Times with their date, second and year."),
        click.option("--time-format", type=click.Choice(TIME_FORMATS), help="How times are written."),
        click.option("--iso", is_flag=True, help="The same as --time-format iso."),
        click.option("-T", "--tab-separated", is_flag=True, help="Columns apart by a tab."),
    )

    def add(command: Command) -> Command:
        for option in reversed(chosen):
            command = option(command)
        return command

    return add


@click.command(cls=Numbered)
@options(WTMP)
@common
def last(common: Common, **given: Any) -> None:
    """Show who logged in, the last one first; util-linux' last.

    FILE may be plain or packed, a utmp, wtmp or btmp of any machine, or wtmpdb's database.

    \b
    mailscope host last -n 10
    mailscope host last alice --since yesterday
    mailscope host last -x --file wtmp.1.gz --format json
    """
    show(common, WTMP, refused=False, **given)


def show(
    common: Common,
    default: str,
    *,
    refused: bool,
    names: tuple[str, ...],
    files: tuple[str, ...],
    tab_separated: bool,
    **given: Any,
) -> None:
    """Read the files one after the other and write their rows."""
    asked, paths = _asked(common, refused, names, **given), files or (default,)
    if common.form == "text":
        common.put(_text(common, paths, asked, tabs=tab_separated))
    else:
        common.put_rows(NAMES, _values(common, paths, asked))
    common.finish()


def _text(common: Common, paths: tuple[str, ...], asked: Asked, *, tabs: bool) -> Iterator[bytes]:
    from mailscope.host.logins import last as made

    for path, file, rows in _read(common, paths, asked):
        for some in rows:
            yield made.careful(made.text(some, asked, common.clock, tabs=tabs), wide=is_wide())
        yield made.footer(Path(path).name, made.begins(file, _changed(path)), asked.form, common.clock)


def _values(common: Common, paths: tuple[str, ...], asked: Asked) -> Iterator[dict[str, Any]]:
    from mailscope.host.logins import last as made

    for _path, _file, rows in _read(common, paths, asked):
        for some in rows:
            yield from made.values(some, asked, common.clock)


def _read(
    common: Common, paths: tuple[str, ...], asked: Asked
) -> Iterator[tuple[str, LoginFile | Database, Iterator[Rows]]]:
    """Each file with its rows; of all files together no more than were asked for."""
    from mailscope.host.logins import last as made
    from mailscope.host.logins.opening import opened

    left = asked.most
    for path in paths:
        with opened(path) as file:
            counted = Counted(made.found(file, replace(asked, most=left), common.machine))
            yield path, file, iter(counted)
            common.problems += file.problems
        left -= counted.count
        if asked.most and left <= 0:
            return


class Counted:
    """Rows that are counted while they are gone through."""

    def __init__(self, rows: Iterator[Rows]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Rows]:
        for some in self._rows:
            self.count += len(some.start)
            yield some


def _asked(
    common: Common,
    refused: bool,
    names: tuple[str, ...],
    *,
    limit: int,
    since: str | None,
    until: str | None,
    present: str | None,
    system: bool,
    hostlast: bool,
    dns: bool,
    ip: bool,
    nohostname: bool,
    fullnames: bool,
    fulltimes: bool,
    time_format: str | None,
    iso: bool,
) -> Asked:
    from mailscope.host.logins.last import Asked
    from mailscope.host.logins.pairing import Span

    forms = {form for form in (time_format, "full" if fulltimes else None, "iso" if iso else None) if form}
    if len(forms) > 1:
        raise UsageError("only one of them can hold", "--fulltimes, --iso, --time-format", "give one of them")
    return Asked(
        now=common.now,
        span=Span(common.seconds(since), common.seconds(until)),
        present=common.seconds(present),
        show=[name.encode("utf-8", "surrogateescape") for name in names],
        most=limit,
        form=forms.pop() if forms else "short",
        host_last=hostlast,
        hosts=not nohostname,
        full_names=fullnames,
        extended=system,
        refused=refused,
        resolve=_resolver(dns, ip),
    )


def _resolver(dns: bool, ip: bool) -> Resolve | None:
    if ip:
        from mailscope.host.layouts.addresses import words

        return words
    if dns:
        from mailscope.host.logins.names import looked_up

        return looked_up
    return None


def _changed(path: str) -> int:
    """When an empty file was last changed."""
    try:
        return int(Path(path).stat().st_ctime)
    except OSError:
        return 0
