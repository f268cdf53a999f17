"""``mailscope host``: the host's own logs of logins and processes, by the names of their programs."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

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


class Lazy(click.Group):
    """A group that imports a command's module only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, in the order in which help shows them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None where there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(f"mailscope.cli.host.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=Lazy)
def host() -> None:
    """Read the host's own logs: who logged in, which commands ran.

    \b
    mailscope host last -n 20
    mailscope host lastb --file /var/log/btmp.1
    mailscope host sa -m --file /var/log/account/pacct.0.gz
    """
