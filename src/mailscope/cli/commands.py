"""A command that has commands of its own beside what it does by itself."""

from __future__ import annotations

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
