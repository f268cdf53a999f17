"""``mailscope queue``: what waits, since when, for whom and why; and what is to be done about it."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

from mailscope.queues.actions import ACTIONS

# Command -> what it does; the module cli/queue_NAME.py holds a click command ``command``.
LOOKING: Final = {
    "list": "List the messages that wait.",
    "show": "Show a message: its way so far, its recipients, its header.",
    "causes": "Say why mail waits, by cause and domain, and what to do.",
    "watch": "Show the queue on the whole screen, as it goes.",
    "shape": "Count them by domain and age, as qshape does.",
}
RESTORING: Final = {"restore": "Bring back messages that were deleted and kept."}
# What changes the queue is in cli/queue_act.py.
COMMANDS: Final = {**LOOKING, **{name: action.help for name, action in ACTIONS.items()}, **RESTORING}


class LazyGroup(click.Group):
    """Imports a command's module only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, in the order in which help shows them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None where there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        if cmd_name in ACTIONS:
            from mailscope.cli.queue_act import command_of

            return command_of(cmd_name)
        command = import_module(f"mailscope.cli.queue_{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup)
def queue() -> None:
    """Look at the queue, understand it, and act on it.

    The spool itself is read, live or a copy: the MTA need not be installed, nothing is changed by looking.

    \b
    mailscope queue list
    mailscope queue list --spool /mnt/copy/postfix --domain example.org
    """
