"""``mailscope host users``: the names of those who are logged in."""

from __future__ import annotations

import click

from mailscope.cli.host.logged import records
from mailscope.cli.host.options import Common, common


@click.command()
@click.argument("path", required=False, metavar="[FILE]")
@click.option("--file", "named", metavar="FILE", help="Instead of this host's utmp.")
@common
def users(common: Common, path: str | None, named: str | None) -> None:
    """Name those who are logged in, one name for each session, on one line; coreutils' users.

    Example: mailscope host users /var/log/wtmp
    """
    from mailscope.host.logins import who as made

    found = records(common, path or named)
    if common.form == "text":
        common.put([made.names(found)])
    else:
        names = sorted(record.user for record in found if made.is_user(record))
        common.put_rows(("user",), ({"user": name.decode("utf-8", "backslashreplace")} for name in names))
    common.finish()
