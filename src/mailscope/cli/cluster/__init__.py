"""``mailscope cluster``: the same flow as Spark jobs, for logs that are too many for one machine."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

# Command -> what it does; the module cli/cluster/NAME.py holds a click command of the same name.
COMMANDS: Final = {
    "ingest": "Load logs of many hosts into a store, side by side.",
    "stream": "Load lines as they come, from Kafka or a socket.",
    "compact": "Make few large files of many small ones, side by side.",
    "ship": "Bring a store's sealed files to that of the cluster.",
    "report": "Sum up what the cluster's store holds.",
    "trace": "Follow a message, address, domain or IP in the cluster's store.",
    "about": "Tell everything about one thing in the cluster's store.",
    "sql": "Ask the cluster's store in Spark SQL.",
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
        command = getattr(import_module(f"mailscope.cli.cluster.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=Lazy)
def cluster() -> None:
    """Do the same for many hosts, as Spark jobs (needs 'mailscope[spark]' and Java 17).

    The store is on a file system that all workers share.  One machine reads it, too: any command with
    --store.

    \b
    mailscope cluster ingest --master spark://head:7077 --output /srv/mail 's3a://logs/*/mail.log-*.gz'
    mailscope cluster report --master spark://head:7077 --store /srv/mail
    mailscope report --store /srv/mail
    """
