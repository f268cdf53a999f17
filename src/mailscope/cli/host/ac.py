"""``mailscope host ac``: for how long users were logged in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from mailscope.cli.host.last import WTMP
from mailscope.cli.host.options import Common, common

if TYPE_CHECKING:
    from mailscope.host.logins.ac import Asked, Counter, Day


@click.command()
@click.argument("users", nargs=-1, metavar="[USER]...")
@click.option("-f", "--file", "files", multiple=True, metavar="FILE", help=f"Instead of {WTMP} (repeatable).")
@click.option("-d", "--daily-totals", "by_day", is_flag=True, help="A total for each day.")
@click.option("-p", "--individual-totals", "by_user", is_flag=True, help="A total for each user.")
@click.option("-a", "--all-days", is_flag=True, help="Also days on which nobody was there.")
@click.option("-y", "--print-year", "year", is_flag=True, help="Days with their year.")
@click.option("-z", "--print-zeros", "zeros", is_flag=True, help="Also totals of nothing.")
@click.option("--reboots", is_flag=True, help="Count the time until a reboot, too.")
@click.option(
    "--supplants", is_flag=True, help="Count the time until the next login on the same terminal, too."
)
@click.option("--timewarps", "time_warps", is_flag=True, help="Count the time until the clock jumps, too.")
@click.option("--compatibility", is_flag=True, help="As --reboots --supplants --timewarps.")
@click.option(
    "--tw-leniency", "leniency_s", type=click.IntRange(0), default=60, show_default=True, metavar="SECONDS"
)
@click.option(
    "--tw-suspicious",
    "suspicious_s",
    type=click.IntRange(1),
    default=31_536_000,
    show_default=True,
    metavar="SECONDS",
)
@click.option("--complain", is_flag=True, help="Say what is wrong with the file.")
@click.option("--debug", is_flag=True, help="Show every record and what follows from it.")
@common
def ac(
    common: Common, users: tuple[str, ...], files: tuple[str, ...], compatibility: bool, **given: Any
) -> None:
    """Add up for how long users were logged in, in hours; GNU acct's ac.

    \b
    mailscope host ac -dp
    mailscope host ac -p alice bob --file wtmp.1.gz --format csv
    """
    from mailscope.host.logins import ac as made

    for name in ("reboots", "supplants", "time_warps"):
        given[name] |= compatibility
    names = frozenset(user.encode("utf-8", "surrogateescape") for user in users)
    asked = made.Asked(now=common.now, users=names, **given)
    counter = made.Counter(asked, common.clock)
    paths = files or (WTMP,)
    if common.form == "text":
        common.put(_text(common, paths, counter, asked))
    else:
        common.put_rows(made.NAMES, _values(common, paths, counter, asked))
    common.finish()


def _text(common: Common, paths: tuple[str, ...], counter: Counter, asked: Asked) -> Iterator[bytes]:
    from mailscope.host.logins.ac import text

    for day in _days(common, paths, counter):
        yield from counter.said
        counter.said.clear()
        yield text(day, asked, common.clock)


def _values(
    common: Common, paths: tuple[str, ...], counter: Counter, asked: Asked
) -> Iterator[dict[str, Any]]:
    from mailscope.host.logins.ac import values

    for day in _days(common, paths, counter):
        yield from values(day, asked, common.clock)


def _days(common: Common, paths: tuple[str, ...], counter: Counter) -> Iterator[Day]:
    """The days, each as it ends."""
    from mailscope.host.logins.records import LoginFile, each

    for path in paths:
        with LoginFile(path) as file:
            yield from counter.count(path.encode("utf-8", "surrogateescape"), each(file))
            common.problems += file.problems
    yield from counter.finish()
