"""``mailscope host w``: who is logged in, and what they do."""

from __future__ import annotations

import os
import shutil
import sys

import click

from mailscope.cli.host.logged import UTMP, records
from mailscope.cli.host.options import HELP_ONLY_LONG, Common, common


@click.command(context_settings=HELP_ONLY_LONG)
@click.argument("user", required=False)
@click.option("--file", "path", metavar="FILE", help="A copied utmp: what processes do is not known of it.")
@click.option("-h", "--no-header", is_flag=True, help="No heading.")
@click.option("-u", "--no-current", is_flag=True, help="Processes of whatever user count.")
@click.option("-s", "--short", is_flag=True, help="No times of logins and processors.")
@click.option("-f", "--from", "no_hosts", is_flag=True, help="No hosts.")
@click.option("-o", "--old-style", is_flag=True, help="Nothing where less than a minute was idle.")
@click.option("-i", "--ip-addr", is_flag=True, help="Addresses instead of hosts.")
@common
def w(
    common: Common,
    user: str | None,
    path: str | None,
    no_header: bool,
    no_current: bool,
    short: bool,
    no_hosts: bool,
    old_style: bool,
    ip_addr: bool,
) -> None:
    """Show who is logged in, since when and what they do; procps' w.

    \b
    mailscope host w
    mailscope host w alice --format json
    """
    from mailscope.host.logins import w as made

    found = records(common, path or UTMP)
    asked = made.Asked(
        now=common.now,
        live=path is None,
        heading=not no_header,
        any_user=no_current,
        short=short,
        hosts=ip_addr or not no_hosts,
        old_style=old_style,
        ips=ip_addr,
        user=user.encode("utf-8", "surrogateescape") if user else None,
        columns=_columns(),
    )
    machine = common.machine
    if common.form == "text":
        common.put([b"".join(made.text(found, asked, machine, common.clock))])
    else:
        common.put_rows(made.NAMES, made.values(made.active(found, asked, machine), common.clock))
    common.finish()


def _columns() -> int:
    from mailscope.host.logins.w import MOST_COMMAND

    if sys.stdout.isatty():
        return shutil.get_terminal_size((80, 24)).columns
    told = os.environ.get("COLUMNS", "")
    return int(told) if told.isdigit() else MOST_COMMAND
