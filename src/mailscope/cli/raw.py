"""Commands that read their arguments themselves, as the programs do that they stand for."""

from __future__ import annotations

import click


class Raw(click.Command):
    """A command whose function is given all arguments as they are; ``--help`` alone is still help."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the arguments."""
        if args == ["--help"]:
            click.echo(ctx.get_help())
            ctx.exit()
        ctx.params["arguments"] = tuple(args)
        return []

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """How it is called."""
        return ["[ARGUMENT]..."]
