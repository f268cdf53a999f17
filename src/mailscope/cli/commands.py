"""Commands that have commands: beside what they do by themselves, or in a package of their own."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import click

CHOSEN: Final = "mailscope.command"


class Commanding(click.Group):
    """``NAME check ...`` runs the command ``check``; anything else (``NAME FILES...``) the command itself.

    A file that is called like a command is named with its directory: ``./check``.
    """

    # As of any command: options may stand after FILES.
    allow_interspersed_args = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Leave the arguments to the command that they name first, if they do."""
        if args and args[0] in self.commands:
            ctx.meta[CHOSEN] = args
            return []
        return click.Command.parse_args(self, ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the one or the other."""
        chosen = ctx.meta.pop(CHOSEN, None)
        if chosen is None:
            return click.Command.invoke(self, ctx)
        name, *args = chosen
        with self.commands[name].make_context(name, args, parent=ctx) as inner:
            return inner.command.invoke(inner)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """How it is called by itself."""
        return click.Command.collect_usage_pieces(self, ctx)


def lazily(package: str, told: Mapping[str, str]) -> type[click.Group]:
    """A group that imports a command's module only when it is asked for.

    ``package`` holds a module of its name for each command; ``told``: the commands, and what each does.
    """

    class Lazy(click.Group):
        """The group."""

        def list_commands(self, ctx: click.Context) -> list[str]:
            """Names of all commands, in the order in which help shows them."""
            return list(told)

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            """The command, imported now; None where there is no such command."""
            if cmd_name not in told:
                return None
            command = getattr(import_module(f"{package}.{cmd_name}"), cmd_name)
            assert isinstance(command, click.Command)
            return command

        def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
            """List the commands without importing them."""
            with formatter.section("Commands"):
                formatter.write_dl(list(told.items()))

    return Lazy
