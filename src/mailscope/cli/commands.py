"""Commands that have commands: beside what they do by themselves, or in a package of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


def within(package: str) -> Callable[[str], click.Command]:
    """Gives a command of a package that holds a module of its name for each."""

    def found(name: str) -> click.Command:
        command: click.Command = getattr(import_module(f"{package}.{name}"), name)
        return command

    return found


def lazily(told: Mapping[str, str], found: Callable[[str], click.Command]) -> type[click.Group]:
    """A group that imports a command only when it is asked for.

    ``told``: the commands, and what each does; ``found`` gives one of them.
    """

    class Lazy(click.Group):
        """The group."""

        def list_commands(self, ctx: click.Context) -> list[str]:
            """Names of all commands, in the order in which help shows them."""
            return list(told)

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            """The command, imported now; None where there is no such command."""
            return found(cmd_name) if cmd_name in told else None

        def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
            """List the commands without importing them."""
            with formatter.section("Commands"):
                formatter.write_dl(list(told.items()))

    return Lazy
