"""``mailscope host who``: who is logged in."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from typing import Any

import click

from mailscope.cli.host.logged import hard_locale, records
from mailscope.cli.host.options import HELP_ONLY_LONG, Common, common
from mailscope.vocabulary.errors import UsageError


@click.command(context_settings=HELP_ONLY_LONG)
@click.argument("arguments", nargs=-1, metavar="[FILE | am i]")
@click.option("--file", "path", metavar="FILE", help="Instead of this host's utmp.")
@click.option("-a", "--all", "everything", is_flag=True, help="As -b -d --login -p -r -t -T -u.")
@click.option("-b", "--boot", is_flag=True, help="Boots.")
@click.option("-d", "--dead", is_flag=True, help="Processes that ended.")
@click.option("-H", "--heading", is_flag=True, help="A line of headings.")
@click.option("--ips", is_flag=True, help="Addresses instead of host names.")
@click.option("-l", "--login", is_flag=True, help="Terminals that wait for a login.")
@click.option("--lookup", is_flag=True, help="Host names as the DNS has them.")
@click.option("-m", "mine", is_flag=True, help="Only the terminal of standard input.")
@click.option("-p", "--process", is_flag=True, help="Processes that init started.")
@click.option("-q", "--count", "counted", is_flag=True, help="Names, and how many they are.")
@click.option("-r", "--runlevel", is_flag=True, help="Run levels.")
@click.option("-s", "--short", is_flag=True, help="Only name, terminal, time and host.")
@click.option("-t", "--time", "clock", is_flag=True, help="Clock changes.")
@click.option(
    "-T",
    "-w",
    "--mesg",
    "--message",
    "--writable",
    "messages",
    is_flag=True,
    help="Who takes messages: + - ?",
)
@click.option("-u", "--users", is_flag=True, help="Users, with their idle time.")
@click.option("--iso", is_flag=True, help="Times in ISO form, whatever the locale.")
@common
def who(common: Common, arguments: tuple[str, ...], path: str | None, **given: bool) -> None:
    """Show who is logged in, or of a wtmp file, who ever was; coreutils' who.

    \b
    mailscope host who
    mailscope host who -a /var/log/wtmp
    mailscope host who --format json --file copied-utmp
    """
    from mailscope.host.logins import who as made

    if len(arguments) > 2 or (path and arguments):
        raise UsageError("too many arguments", "who", "name one file, or say 'am i'")
    if len(arguments) == 1:
        path = arguments[0]
    given["mine"] |= len(arguments) == 2
    found = records(common, path)
    asked = _asked(**given)
    showing = made.Showing(common.clock, common.machine, common.now)
    if given["mine"] and asked.line is None:
        found = []
    if common.form != "text":
        common.put_rows(made.NAMES, made.values(found, asked, showing))
    elif given["counted"]:
        common.put([made.counted(found)])
    else:
        common.put(made.text(found, asked, showing))
    common.finish()


def _asked(**given: bool) -> Any:
    from mailscope.host.layouts import utmp
    from mailscope.host.logins.who import Asked

    everything = given["everything"]
    types = {
        "boot": utmp.BOOT_TIME,
        "dead": utmp.DEAD_PROCESS,
        "login": utmp.LOGIN_PROCESS,
        "process": utmp.INIT_PROCESS,
        "runlevel": utmp.RUN_LVL,
        "clock": utmp.NEW_TIME,
        "users": utmp.USER_PROCESS,
    }
    kinds = frozenset(number for name, number in types.items() if everything or given[name])
    exits = everything or given["dead"]
    return Asked(
        kinds=kinds or frozenset({utmp.USER_PROCESS}),
        short=(given["short"] or not kinds) and not exits,
        idle=everything or any(given[name] for name in ("dead", "login", "runlevel", "users")),
        messages=everything or given["messages"],
        exits=exits,
        heading=given["heading"],
        ips=given["ips"],
        iso=given["iso"] or hard_locale(),
        line=_own_line() if given["mine"] else None,
        canonical=_canonical if given["lookup"] else None,
    )


def _own_line() -> bytes | None:
    try:
        return os.ttyname(sys.stdin.fileno()).removeprefix("/dev/").encode()
    except (OSError, ValueError):
        return None


def _canonical(host: str) -> str:
    try:
        found: Iterator[Any] = iter(socket.getaddrinfo(host, None, flags=socket.AI_CANONNAME))
        return next((name for *_rest, name, _address in found if name), host)
    except (OSError, UnicodeError):
        return host
