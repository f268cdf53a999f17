"""``mailscope queue``: what waits, since when, for whom and why; and what is to be done about it."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

from mailscope.cli.commands import lazily
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


def _command(name: str) -> click.Command:
    """A command, imported now."""
    if name in ACTIONS:
        from mailscope.cli.queue_act import command_of

        return command_of(name)
    command: click.Command = import_module(f"mailscope.cli.queue_{name}").command
    return command


@click.group(cls=lazily(COMMANDS, _command))
def queue() -> None:
    """Look at the queue, understand it, and act on it.

    The spool itself is read, live or a copy: the MTA need not be installed, nothing is changed by looking.

    \b
    mailscope queue list
    mailscope queue list --spool /mnt/copy/postfix --domain example.org
    """
