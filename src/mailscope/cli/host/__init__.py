"""``mailscope host``: the host's own logs of logins and processes, by the names of their programs."""

from __future__ import annotations

from typing import Final

import click

from mailscope.cli.commands import lazily, within

# Command -> what it does; the module cli/host/NAME.py holds a click command of the same name.
COMMANDS: Final = {
    "who": "Show who is logged in.",
    "w": "Show who is logged in and what they do.",
    "users": "Name those who are logged in, on one line.",
    "last": "Show who logged in, the last one first.",
    "lastb": "Show refused logins, the last one first.",
    "lastlog": "Show when each account was last logged in to.",
    "ac": "Add up for how long users were logged in.",
    "lastcomm": "Show the commands that ran, the last one first.",
    "sa": "Add up what commands or users cost: time, memory, input and output.",
    "top": "Show the commands and users that cost most, day by day.",
    "condense": "Merge process accounting into its summaries, once.",
    "accounting": "Turn process accounting on or off, and say whether it is on.",
}


@click.command(cls=lazily(COMMANDS, within(__name__)))
def host() -> None:
    """Read the host's own logs: who logged in, which commands ran.

    \b
    mailscope host last -n 20
    mailscope host lastb --file /var/log/btmp.1
    mailscope host sa -m --file /var/log/account/pacct.0.gz
    """
