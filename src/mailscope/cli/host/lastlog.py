"""``mailscope host lastlog``: when each account was last logged in to."""

from __future__ import annotations

import os

import click

from mailscope.cli.host.options import Common, common

LASTLOG = "/var/log/lastlog"
LASTLOG2 = "/var/lib/lastlog/lastlog2.db"


@click.command()
@click.option("-f", "--file", "path", metavar="FILE", help=f"Instead of {LASTLOG} or {LASTLOG2}.")
@click.option("-b", "--before", type=click.IntRange(0), metavar="DAYS", help="Only logins older than that.")
@click.option(
    "-t", "--time", "within", type=click.IntRange(0), metavar="DAYS", help="Only logins newer than that."
)
@click.option("-u", "--user", metavar="LOGIN|RANGE", help="Only that account, or numbers such as 1000-1999.")
@common
def lastlog(
    common: Common, path: str | None, before: int | None, within: int | None, user: str | None
) -> None:
    """Show when each account was last logged in to; shadow's lastlog, which never changes the file.

    FILE may be lastlog2's database.  For a file of another host, give its passwd, too.

    \b
    mailscope host lastlog -t 7
    mailscope host lastlog --file copied-lastlog --passwd copied-passwd -u 1000-1999
    """
    from mailscope.host.logins import lastlog as made

    accounts = common.accounts
    asked = made.Asked(common.now, before_days=before, within_days=within)
    if user is not None:
        asked = made.chosen(user, accounts, asked)
    named = path or (LASTLOG if os.path.exists(LASTLOG) or not os.path.exists(LASTLOG2) else LASTLOG2)
    found = made.lasts(named, accounts, asked)
    if common.form == "text":
        common.put(made.text(found, common.clock))
    else:
        common.put_rows(made.NAMES, made.values(found, common.clock))
    common.finish()
